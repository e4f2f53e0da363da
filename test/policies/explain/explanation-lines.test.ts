import { describePlan, type ExplainedVersion, explanationLines } from '@signalbox/policies'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { factAt } from '../../../policies/explain/fact-values.ts'
import { setLine } from '../../../policies/explain/text-layout.ts'
import { factsOf, policy } from '../engine/programs.ts'
import { createEngine, explain, type Recorded, versionOf } from './recorded-calls.ts'

let engine: Awaited<ReturnType<typeof createEngine>>
let version: ExplainedVersion
beforeAll(async () => {
  engine = await createEngine()
  version = await versionOf({
    ...policy('constraint', 'local-only', [
      {
        id: 'secret',
        when: { eq: [{ fact: 'request.metadata.feature', or: '' }, 'secret'] },
        then: { only: { where: { locality: 'on-prem' } } },
      },
    ]),
    ...policy('route', 'pick', [{ id: 'best', then: { use: { model: 'smart' } } }]),
  })
})
afterAll(() => engine.dispose())

const secret = { facts: { request: { metadata: { feature: 'secret' } } } } as Recorded

describe('the lines of an explanation', () => {
  it('begin with the outcome; a call without an eligible model names the rules that took all away', async () => {
    const { summary } = await explain(engine, [version], secret)
    expect(summary.slice(0, 2)).toEqual([
      'DENY  cheap HTTP 403 NO_ELIGIBLE_MODEL: nothing is left after MODEL_NOT_ALLOWED',
      '      by acme/local-only, rule secret',
    ])
    expect(summary.join('\n')).not.toContain('by /')
  })

  it('go layer by layer: constraints, routes, plan, attempts, reasons, what would change', async () => {
    const { summary } = await explain(engine, [version])
    expect(
      summary.map((line) => line.replace(/[0-9,]+ µs/, 'n µs').replace(/fuel [0-9,]+,/, 'fuel n')),
    ).toEqual([
      'ALLOW  cheap → openai/gpt-5.5',
      `  2027-01-15T08:00:00.000Z development v12 ${version.digest.slice(0, 19)} (stable)`,
      expect.stringMatching(/^ {2}params r40, release 3, gateway \S+$/),
      expect.stringMatching(/^ {2}n µs, fuel n facts [0-9,]+ B$/),
      expect.stringMatching(/^ {2}computed again: the same decision sha256:[0-9a-f]{12}$/),
      'constraints  candidates 4 → 4',
      '  acme/local-only  no effect policies/local-only.policy.json',
      '    secret:1',
      '      FALSE          request.metadata.feature absent, so "" == "secret"',
      'route',
      '  acme/pick  chose → rule best policies/pick.policy.json',
      '    best:1  always → use smart',
      'plan         anthropic/claude-opus-4-8, then openai/gpt-5.5',
      '  chosen by acme/pick, rule best',
      '  selection: ordered, seed 7; all targets up',
      'attempts',
      '  1. openai/gpt-5.5 ok HTTP 200 in 800.25 ms, answered',
      'would change if',
      '  request.metadata.feature = "secret" (local-only/secret)',
      '    → DENY NO_ELIGIBLE_MODEL: nothing is left after MODEL_NOT_ALLOWED by',
      '      acme/local-only, rule secret',
    ])
  })

  it('stay within the width, in words, without colours unless they are asked for', async () => {
    const explained = await explain(engine, [version], secret)
    expect(Math.max(...explained.summary.map((line) => line.length))).toBeLessThanOrEqual(80)
    expect(explained.summary.join('')).not.toContain('\u001b')
    const painted = explanationLines(explained, { width: 200, paint: (tone, text) => `<${tone}>${text}` })
    expect(painted[0]).toContain('<bad>DENY')
    expect(painted.length).toBeLessThan(explained.summary.length)
  })
})

describe('setLine', () => {
  const plain = (_: string, text: string) => text

  it('goes on under the start of the body', () => {
    const line = { head: [{ text: '  a  ' }], body: [{ text: 'one two three' }] }
    expect(setLine(line, 13, plain)).toEqual(['  a  one two', '     three'])
  })

  it('keeps a long name whole', () => {
    const line = { head: [{ text: '- ' }], body: [{ text: `x ${'n'.repeat(30)} y` }] }
    expect(setLine(line, 10, plain)).toEqual(['- x', `  ${'n'.repeat(30)}`, '  y'])
  })
})

describe('factAt', () => {
  const facts = factsOf({
    data: { detectors: { pii: { hits: 2, kinds: ['email'] } }, detectorErrors: [] },
  })

  it('reads a path', () => {
    expect(factAt(facts, 'request.model.requested')).toBe('cheap')
    expect(factAt(facts, 'data.detectors.pii.hits')).toBe(2)
    expect(factAt(facts, 'request.model.targets')).toEqual(['openai/gpt-5-mini', 'local/llama3.3'])
  })

  it('gives null for what is not there, and never what is inherited', () => {
    expect(factAt(facts, 'request.metadata.tier')).toBeNull()
    expect(factAt(facts, 'request.metadata.constructor')).toBeNull()
    expect(factAt(facts, 'request.stream.more')).toBeNull()
  })
})

describe('describePlan', () => {
  it('writes trees of any shape', () => {
    expect(
      describePlan({
        strategy: 'weighted',
        of: [{ target: 'a/b' }, { strategy: 'ordered', of: [{ target: 'c/d' }, { target: 'e/f' }] }],
      }),
    ).toBe('weighted of a/b, (c/d, then e/f)')
    expect(describePlan({ pipeline: [{ id: 'draft', node: { target: 'a/b' }, onFailure: 'fail' }] })).toBe(
      'draft: a/b',
    )
  })
})
