import { type BuiltVersion, baseFacts, type Engine } from '@signalbox/policies'
import { Decision, Facts, type GuardrailFacts, type ModelFact, PolicyResult } from '@signalbox/sdk/contract'
import { digestOfJson, violationsOf } from '@signalbox/sdk/node'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { versionOf } from '../compile/builds.ts'
import { createEngine, evaluate, factsOf, type PartialFacts, policy, programOf, script } from './programs.ts'

let engine: Engine
beforeAll(async () => {
  engine = await createEngine()
})
afterAll(() => engine.dispose())

const load = (version: BuiltVersion, change: object = {}) =>
  engine.load(
    [
      {
        digest: version.digest,
        script: version.script,
        compiled: { ...version.compiled, ...change },
        nodePath: [],
      },
    ],
    { environment: 'development' },
  )

describe('an evaluation', () => {
  test('is valid by its schemas, and the same each time, with the same fuel', async () => {
    const program = await programOf(engine, [
      {
        files: {
          ...policy('constraint', 'c', [
            { id: 'x', then: { requireGuard: { id: 'scan-input', direction: 'input' } } },
          ]),
          ...script(
            'r',
            "export default route('r', { rules: [rule('x', { when: (f) => f.seed % 2 === 0, then: () => use('smart').variant('a', 'b') })] })",
          ),
        },
      },
    ])
    const first = evaluate(program)
    expect(violationsOf(Decision, first.decision)).toEqual([])
    for (const result of first.policies) expect(violationsOf(PolicyResult, result)).toEqual([])
    expect(first.decisionDigest).toBe(digestOfJson(first.decision))
    expect(first.fuel).toBeGreaterThan(0)
    expect(first.evaluationUs).toBeGreaterThan(0)
    for (let run = 0; run < 20; run++) {
      const { decisionDigest, fuel, policies } = evaluate(program)
      expect({ decisionDigest, fuel, policies }).toEqual({
        decisionDigest: first.decisionDigest,
        fuel: first.fuel,
        policies: first.policies,
      })
    }
  })

  test('takes the same fuel whatever is in the facts that no policy reads', async () => {
    const program = await programOf(engine, [
      {
        files: policy('constraint', 'c', [{ id: 'x', when: { fact: 'request.stream' }, then: { cap: {} } }]),
      },
    ])
    const health: ModelFact['health'] = { state: 'up', errorPpm: 0 }
    const large = evaluate(program, {
      request: {
        messages: { count: 500, chars: 1_000_000, hasSystem: true, hasImages: true, lastRole: 'user' },
        tools: {
          count: 64,
          names: Array.from({ length: 64 }, (_, index) => `a-rather-long-tool-name-${index}`),
        },
      },
      models: Array.from({ length: 64 }, (_, index) => ({
        target: `openai/m-${index}`,
        health,
        lossless: true,
      })),
    })
    expect(large.fuel).toBe(evaluate(program).fuel)
  })

  test('hands a policy the rows of the candidates with their columns, where it reads them', async () => {
    const program = await programOf(engine, [
      {
        files: script(
          'c',
          "export default constraint('c', { rules: [rule('up', { then: (f) => only(f.models.filter((m) => m.health.state === 'up' && (m.contextTokens ?? 0) > 1000)) })] })",
        ),
      },
    ])
    const row = (target: string, state: 'up' | 'down') => ({
      target,
      health: { state, errorPpm: 0 },
      lossless: true,
    })
    const columns = (target: string, contextTokens: number) => ({
      target,
      connection: 'openai',
      provider: 'openai',
      locality: 'cloud' as const,
      tier: 'mid',
      contextTokens,
    })
    const { decision } = evaluate(
      program,
      { models: [row('openai/gpt-5-mini', 'up'), row('local/llama3.3', 'down')] },
      { models: [columns('openai/gpt-5-mini', 5000), columns('local/llama3.3', 5000)] },
    )
    expect(decision.plan).toEqual({ target: 'openai/gpt-5-mini' })
    const small = evaluate(
      program,
      { models: [row('openai/gpt-5-mini', 'up')] },
      { models: [columns('openai/gpt-5-mini', 100)] },
    )
    expect(small.decision.effect).toBe('deny')
  })
})

describe('facts cut down to what is read', () => {
  const conditions = [
    "f.request.metadata.tier === 'free' && f.request.bytes * 2 > f.request.messages.chars",
    "(({ request: { model } }) => model.alias ?? model.requested)(f).length > 5 || f.request.tools.names.some((n) => n > 'm')",
    "f.budget.tightest?.usedPpm !== undefined || f.data.detectors['pii']?.hits === 1",
    '[1, 2].some((f) => f > 3) || Object.keys(f.request.params).length > 1',
    "f.models.some((m) => m.health.state !== 'up') && 'feature' in f.request.metadata",
    'helper(f.request) || f.seed % 3 === 0',
  ]
  const rules = conditions.map(
    (when, index) =>
      `rule('r${index}', { when: (f) => ${when}, then: () => cap({ maxOutputTokens: ${index + 1} }) })`,
  )
  const text = `import { cap, constraint, rule } from '@signalbox/policies'
const helper = ({ stream, route }: { stream: boolean; route: string }) => stream && route !== ''
export default constraint('c', { rules: [${rules.join(', ')}] })
`
  const some: fc.Arbitrary<object> = fc.record(
    {
      seed: fc.integer({ min: 0, max: 9 }),
      request: fc.record(
        {
          bytes: fc.integer({ min: 0, max: 200 }),
          stream: fc.boolean(),
          route: fc.constantFrom('', 'docs'),
          metadata: fc.record(
            { tier: fc.constantFrom('free', 'paid'), feature: fc.string({ maxLength: 5 }) },
            { requiredKeys: [] },
          ),
          tools: fc.record({
            count: fc.constant(1),
            names: fc.array(fc.string({ maxLength: 3 }), { maxLength: 3 }),
          }),
          params: fc.record(
            { maxOutputTokens: fc.constant(5), choices: fc.constant(2) },
            { requiredKeys: [] },
          ),
        },
        { requiredKeys: [] },
      ),
      data: fc.record({
        detectors: fc.record({ pii: fc.constant({ hits: 1, kinds: [] }) }, { requiredKeys: [] }),
        detectorErrors: fc.constant([]),
      }),
      models: fc.array(
        fc.record({
          target: fc.constant('openai/x'),
          health: fc.record({
            state: fc.constantFrom('up' as const, 'down' as const),
            errorPpm: fc.constant(0),
          }),
          lossless: fc.boolean(),
        }),
        { maxLength: 2 },
      ),
    },
    { requiredKeys: [] },
  )

  test('give the decisions of the whole facts', async () => {
    const version = await versionOf({ 'policies/c.policy.ts': text })
    const [cut, whole] = [load(version), load(version, { reads: ['*'] })]
    expect(version.compiled.reads).not.toEqual(['*'])
    fc.assert(
      fc.property(some, (over) => {
        const facts = factsOf(over as PartialFacts)
        const [one, other] = [cut, whole].map((program) =>
          program.evaluate({ facts, params: {}, models: [] }),
        )
        expect(one?.policies).toEqual(other?.policies)
        expect(one?.decisionDigest).toBe(other?.decisionDigest)
      }),
      { numRuns: 200 },
    )
  })
})

describe('a program', () => {
  test('is not made of a script that is not the one which was compiled', async () => {
    const one = await versionOf(policy('route', 'one', [{ id: 'x', then: { continue: true } }]))
    const other = await versionOf(policy('route', 'other', [{ id: 'x', then: { continue: true } }]))
    expect(() => load(one, { policies: other.compiled.policies })).toThrow(
      'the script of workspace "acme" is not the one that was compiled: there is no route "one"',
    )
    expect(() => load(one, { policies: [...one.compiled.policies, ...other.compiled.policies] })).toThrow(
      'policies are missing',
    )
    expect(() =>
      engine.load([{ digest: '', script: 'for (;;) {}', compiled: one.compiled, nodePath: [] }], {
        environment: 'development',
      }),
    ).toThrow('out of fuel')
  })

  test('names at most 64 candidates: those of aliases and of policies', async () => {
    const program = await programOf(engine, [
      { files: policy('route', 'r', [{ id: 'x', then: { use: { model: 'openai/gpt-6' } } }]) },
    ])
    expect(program.candidates).toEqual([
      'anthropic/claude-opus-4-8',
      'openai/gpt-5.5',
      'openai/gpt-5-mini',
      'local/llama3.3',
      'openai/gpt-6',
    ])
  })
})

describe('a guardrail', () => {
  const found = (hits: number): GuardrailFacts => ({
    schema: 'guardrail-facts/1',
    direction: 'input',
    text: { chars: 10, scannedChars: 10 },
    findings: { pii: { hits, kinds: [], byKind: {}, spans: [] } },
    detectorErrors: [],
    metadata: {},
    stream: false,
    truncated: [],
  })
  const typescript = `import { block, flag, guardrail } from '@signalbox/policies'
export default guardrail('g', { direction: 'input', when: (f) => f.findings.pii!.hits > 2 && f.text.chars > 5, then: () => flag('MANY') })
`

  test('passes, fails with what follows, or says that it broke', async () => {
    const program = await programOf(engine, [{ files: { 'guardrails/g.guardrail.ts': typescript } }])
    const screen = (guardrail: string, facts: GuardrailFacts) =>
      program.screen({ layer: 0, guardrail, facts })
    expect(screen('scan-input', found(0))).toMatchObject({ verdict: 'pass', trace: '0' })
    expect(screen('scan-input', found(1))).toMatchObject({
      verdict: 'fail',
      action: { block: { code: 'PII' } },
      trace: '1',
    })
    expect(screen('g', found(3))).toMatchObject({
      verdict: 'fail',
      action: { flag: { code: 'MANY' } },
      trace: '11',
    })
    expect(screen('g', { ...found(3), findings: {} })).toMatchObject({
      verdict: 'error',
      error: { kind: 'exception', message: "TypeError: cannot read property 'hits' of undefined" },
      trace: '!-',
    })
    expect(() => screen('nobody', found(0))).toThrow(RangeError)
  })
})

test('base facts are valid, and take what is laid over them member by member', () => {
  expect(violationsOf(Facts, baseFacts())).toEqual([])
  const facts = baseFacts({ request: { metadata: { tier: 'free' } }, subject: { stickyKey: 'u' } })
  expect(violationsOf(Facts, facts)).toEqual([])
  expect(facts.request.metadata).toEqual({ tier: 'free' })
  expect(facts.request.operation).toBe('chat')
  expect(baseFacts().request.metadata).toEqual({})
})
