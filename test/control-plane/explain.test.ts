import { describe, expect, it } from 'vitest'
import { explainRecord, factAt } from '../../control-plane/explain.ts'
import { describePlan } from '../../control-plane/explain-summary.ts'
import { allowed, deciders, decision, facts, noFree, pick, result, results } from './explained-call.ts'
import { callRecord } from './segment-lines.ts'

describe('explainRecord', () => {
  it('lists every policy with each condition, its outcome and the facts it read', () => {
    const explained = explainRecord(allowed(), deciders)
    expect(explained.policies.map(({ id, kind, rule, outcome }) => ({ id, kind, rule, outcome }))).toEqual([
      { id: 'no-free', kind: 'constraint', rule: null, outcome: 'noEffect' },
      { id: 'switch', kind: 'route', rule: 'polish', outcome: 'chosen' },
    ])
    expect(explained.policies.map(({ file }) => file)).toEqual([noFree.file, pick.file])
    expect(explained.policies[0]?.rules[0]?.conditions).toEqual([
      {
        text: 'request.metadata.tier == "free"',
        outcome: 'false',
        values: { 'request.metadata.tier': null },
      },
    ])
    expect(
      explained.policies[1]?.rules.map(({ id, line, conditions }) => ({ id, line, conditions })),
    ).toEqual([
      {
        id: 'long',
        line: 4,
        conditions: [
          { text: 'f.request.stream', outcome: 'false', values: { 'request.stream': false } },
          {
            text: 'f.request.params.maxOutputTokens > 9',
            outcome: 'notEvaluated',
            values: { 'request.params.maxOutputTokens': 812_004 },
          },
        ],
      },
      {
        id: 'polish',
        line: 9,
        conditions: [
          {
            text: "f.request.metadata.feature === 'polish'",
            outcome: 'true',
            values: { 'request.metadata.feature': 'polish' },
          },
        ],
      },
    ])
  })

  it('says it in lines for people', () => {
    expect(explainRecord(allowed(), deciders).summary).toEqual([
      'ALLOW  smart → openai/gpt-5.5',
      '2026-09-01T10:02:11.000Z  elsewhere  v12 sha256:9c1f9c1f…  release 4, state 17  41 µs, fuel 12, facts 977 B',
      'constraints',
      '  acme/no-free   no effect   policies/no-free.policy.json',
      '      request.metadata.tier == "free"   FALSE   (request.metadata.tier = absent)',
      '  caps: maxOutputTokens ≤ 4,096',
      'route',
      '  acme/switch   chose → rule polish   policies/switch.policy.ts:9',
      '    long',
      '      f.request.stream   FALSE   (request.stream = false)',
      '    polish',
      '      f.request.metadata.feature === \'polish\'   TRUE   (request.metadata.feature = "polish")',
      'plan  anthropic/claude-opus-4-8, then openai/gpt-5.5   chosen by acme/switch, rule polish',
      '  passed over local/llama3.3: locality',
      'attempts',
      '  1. anthropic/claude-opus-4-8   error HTTP 529 overload in 40 ms',
      '  2. openai/gpt-5.5   ok HTTP 200 in 1,200 ms   answered',
    ])
  })

  it('writes a condition of several lines in one', () => {
    const [workspace] = deciders.values()
    if (workspace === undefined) throw new Error('no workspace')
    const broken = structuredClone(workspace)
    const [condition] = broken.policies[0]?.rules[0]?.conditions ?? []
    if (condition !== undefined) condition.text = '{\n  "eq": [\n    1,\n    2\n  ]\n}'
    const { summary } = explainRecord(allowed(), new Map([['acme', broken]]))
    expect(summary).toContain('      { "eq": [ 1, 2 ] }   FALSE   (request.metadata.tier = absent)')
  })

  it('names the policy, rule and message of a denial first', () => {
    const reason = {
      code: 'TIER_BLOCKED',
      policy: 'no-free',
      rule: 'free',
      workspace: 'acme',
      http: 403,
      audience: 'caller' as const,
      message: 'Free callers may not.',
    }
    const { plan: _, ...rest } = decision
    const record = callRecord(
      { effect: 'deny', status: 403, errorCode: 'TIER_BLOCKED' },
      {
        decision: { ...rest, effect: 'deny', reasons: [reason] },
        policies: [
          result({ id: 'no-free', kind: 'constraint', outcome: 'denied', rule: 'free', trace: '1' }),
        ],
      },
    )
    const explained = explainRecord(record, deciders)
    expect(explained.reasons).toEqual([reason])
    expect(explained.summary[0]).toBe(
      'DENY  smart  HTTP 403  TIER_BLOCKED by acme/no-free, rule free: Free callers may not.',
    )
    expect(explained.summary).toContain(
      '  acme/no-free   denied → rule free   policies/no-free.policy.json:3',
    )
  })

  it('tells a policy that failed, and a condition that threw', () => {
    const error = { kind: 'exception', message: 'not a function' }
    const failed = result({ id: 'switch', kind: 'route', outcome: 'failed', trace: '!--', error })
    const record = callRecord(
      { effect: 'error', status: 503, errorCode: 'policy_exception' },
      { factsClass: 'full', facts, policies: [failed] },
    )
    const { summary, policies } = explainRecord(record, deciders)
    expect(summary[0]).toBe('ERROR  smart  HTTP 503  policy_exception')
    expect(summary).toContain('      exception: not a function')
    expect(policies[0]?.rules[0]?.conditions[0]?.outcome).toBe('threw')
  })

  it('claims no values where facts were not recorded, and no rules where the version is gone', () => {
    const record = callRecord({}, { policies: results })
    const withVersion = explainRecord(record, deciders)
    expect(withVersion.policies[0]?.rules[0]?.conditions[0]).toMatchObject({ outcome: 'false', values: {} })
    expect(withVersion.summary[1]).toContain('facts not recorded')
    const without = explainRecord(record, new Map())
    expect(without.policies.map(({ file, rules }) => ({ file, rules }))).toEqual([
      { file: null, rules: [] },
      { file: null, rules: [] },
    ])
  })

  it('says that no route chose where the model was taken as asked', () => {
    const record = callRecord({}, { decision, policies: [] })
    expect(explainRecord(record, deciders).summary).toContain(
      'plan  anthropic/claude-opus-4-8, then openai/gpt-5.5   no route chose: the model as asked, "smart"',
    )
  })

  it('links to the trace where a template is configured', () => {
    const record = callRecord({ traceId: 'abc' })
    expect(explainRecord(record, deciders, 'http://jaeger/trace/{traceId}').traceUrl).toBe(
      'http://jaeger/trace/abc',
    )
    expect(explainRecord(record, deciders).traceUrl).toBeNull()
  })
})

describe('factAt', () => {
  it('reads a path, also through names with dots', () => {
    expect(factAt(facts, 'request.model.tier')).toBe('large')
    expect(factAt(facts, 'data.detectors.pii.email.hits')).toBe(2)
    expect(factAt(facts, 'subject.node.path')).toEqual(['search'])
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
