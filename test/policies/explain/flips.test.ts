import type { Expression, Facts } from '@signalbox/sdk/contract'
import { describe, expect, it } from 'vitest'
import { bucketOf } from '../../../policies/authoring/bucket.ts'
import { factsSchemaOf } from '../../../policies/compile/fact-schemas.ts'
import { withFact } from '../../../policies/explain/apply-change.ts'
import { expressionText } from '../../../policies/explain/condition-text.ts'
import { flipsOf } from '../../../policies/explain/flips.ts'
import { factsOf } from '../engine/programs.ts'

const facts = factsOf({
  subject: { stickyKey: 'me' },
  request: { metadata: { level: 3 }, tools: { count: 2, names: ['grep', 'browse'] } },
})
const schema = factsSchemaOf({ tier: { enum: ['free', 'paid'] }, level: { type: 'integer' } })
const scope = { facts, schema, params: { share: 50_000, on: true }, masked: ['request.dialect'] }
const flips = (expression: Expression, wanted: boolean) =>
  flipsOf(expression, wanted, scope).map(({ shown, to }) => `${shown}: ${JSON.stringify(to)}`)

const tokens = { fact: 'request.estimate.outputTokens' }
const tier = { fact: 'request.metadata.tier', or: 'paid' }

describe('flipsOf', () => {
  const cases: readonly [string, Expression, boolean, readonly string[]][] = [
    ['gt to true', { gt: [tokens, 4000] }, true, ['request.estimate.outputTokens > 4,000: 4001']],
    ['gt to false', { gt: [tokens, 40] }, false, ['request.estimate.outputTokens ≤ 40: 40']],
    ['gte to true', { gte: [tokens, 4000] }, true, ['request.estimate.outputTokens ≥ 4,000: 4000']],
    ['gte to false', { gte: [tokens, 40] }, false, ['request.estimate.outputTokens < 40: 39']],
    ['lt to true', { lt: [tokens, 40] }, true, ['request.estimate.outputTokens < 40: 39']],
    ['lt to false', { lt: [tokens, 4000] }, false, ['request.estimate.outputTokens ≥ 4,000: 4000']],
    ['lte to false', { lte: [tokens, 4000] }, false, ['request.estimate.outputTokens > 4,000: 4001']],
    [
      'a bound that stands left',
      { lt: [4000, tokens] },
      true,
      ['request.estimate.outputTokens > 4,000: 4001'],
    ],
    [
      'a fact and a param',
      { gt: [tokens, { param: 'share' }] },
      true,
      ['request.estimate.outputTokens > 50,000: 50001', 'share < 100: 99'],
    ],
    ['eq to true', { eq: [tier, 'free'] }, true, ['request.metadata.tier = "free": "free"']],
    [
      'eq to false, of few values',
      { eq: [tier, 'paid'] },
      false,
      ['request.metadata.tier ≠ "paid": "free"', 'request.metadata.tier ≠ "paid": undefined'],
    ],
    ['ne to false', { ne: [tier, 'free'] }, false, ['request.metadata.tier = "free": "free"']],
    ['a boolean fact', { fact: 'request.stream' }, true, ['request.stream = true: true']],
    ['a param that is a switch', { param: 'on' }, false, ['on = false: false']],
    [
      'some to true',
      { some: [{ fact: 'request.tools.names' }, { startsWith: [{ item: true }, 'shell_'] }] },
      true,
      ['request.tools.names with "shell_": ["grep","browse","shell_"]'],
    ],
    [
      'some to false',
      { some: [{ fact: 'request.tools.names' }, { eq: [{ item: true }, 'browse'] }] },
      false,
      [
        'request.tools.names without "grep": ["browse"]',
        'request.tools.names without "browse": ["grep"]',
        'request.tools.names empty: []',
      ],
    ],
    [
      'every to false',
      { every: [{ fact: 'request.tools.names' }, { in: [{ item: true }, ['grep', 'browse']] }] },
      false,
      ['request.tools.names with "another": ["grep","browse","another"]'],
    ],
    [
      'every to true',
      { every: [{ fact: 'request.tools.names' }, { ne: [{ item: true }, 'browse'] }] },
      true,
      [
        'request.tools.names without "grep": ["browse"]',
        'request.tools.names without "browse": ["grep"]',
        'request.tools.names empty: []',
      ],
    ],
    ['not', { not: { fact: 'request.stream' } }, false, ['request.stream = true: true']],
    ['has to false', { has: 'request.metadata.level' }, false, ['request.metadata.level absent: undefined']],
    ['has to true', { has: 'request.metadata.tier' }, true, ['request.metadata.tier is there: "free"']],
    ['in a list', { in: [tier, ['free']] }, true, ['request.metadata.tier in ["free"]: "free"']],
    [
      'in a fact',
      { in: ['search', { fact: 'request.tools.names' }] },
      true,
      ['request.tools.names with "search": ["grep","browse","search"]'],
    ],
    [
      'startsWith',
      { startsWith: [{ fact: 'request.route' }, 'a/'] },
      true,
      ['request.route starts with "a/": "a/"'],
    ],
    ['a literal', true, false, []],
    [
      'a masked fact on the other side',
      { eq: ['x', { fact: 'request.dialect' }] },
      true,
      ['request.dialect = "x": "x"'],
    ],
  ]
  it.each(cases)('changes the least for %s', (_name, expression, wanted, expected) => {
    expect(flips(expression, wanted)).toEqual(expected)
  })

  it('moves a share to where the caller stands, or takes a caller from the other side', () => {
    const place = bucketOf('r', 'me')
    const [share, caller] = flipsOf({ bucket: { rollout: 'r', ppm: { param: 'share' } } }, true, scope)
    expect(share).toMatchObject({ param: 'share', from: 50_000, to: place + 1 })
    expect(bucketOf('r', String(caller?.to))).toBeLessThan(50_000)
  })
})

describe('withFact', () => {
  it('gives facts with another value, without one, or nothing where that would be no facts', () => {
    expect(withFact(facts, 'request.stream', true)?.request.stream).toBe(true)
    expect(withFact(facts, 'request.metadata.a.b', 'x')?.request.metadata).toEqual({ level: 3, 'a.b': 'x' })
    expect(withFact(facts, 'request.metadata.level', undefined)?.request.metadata).toEqual({})
    expect(withFact(facts, 'request.stream', undefined)).toBeUndefined()
    expect(withFact(facts, 'request.estimate.outputTokens', -1)).toBeUndefined()
    expect(withFact(facts, 'budget.tightest.usedPpm', 5)).toBeUndefined()
  })

  it('leaves the facts it was given as they are', () => {
    const before: Facts = structuredClone(facts)
    withFact(facts, 'request.metadata.level', 9)
    expect(facts).toEqual(before)
  })
})

describe('expressionText', () => {
  const text = (expression: Expression) => expressionText(expression, scope)

  it('puts values behind names', () => {
    expect(text({ gt: [tokens, { param: 'share' }] })).toBe(
      'request.estimate.outputTokens 100 > share 50,000',
    )
    expect(text({ eq: [tier, 'free'] })).toBe('request.metadata.tier absent, so "paid" == "free"')
    expect(text({ has: 'request.metadata.level' })).toBe('request.metadata.level 3 is there')
    expect(text({ not: { in: [tier, ['free', 'x']] } })).toBe(
      'not request.metadata.tier absent, so "paid" in ["free", "x"]',
    )
    expect(text({ startsWith: [{ fact: 'request.dialect' }, 'a'] })).toBe(
      'request.dialect ‹masked› starts with "a"',
    )
    expect(text({ any: [true, { all: [{ fact: 'request.stream' }, null] }] })).toBe(
      '(true or (request.stream false and null))',
    )
  })
})
