import { baseFacts, createEngine, type Engine, type Evaluation, type Program } from '@signalbox/policies'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { promptFile } from '../prompts/prompts.ts'
import { type Files, policy, programOf, script } from './programs.ts'

const prompts: Files = {
  'prompts/support.prompt.md': promptFile(
    'support',
    'variables: { tier: { enum: [free, paid] } }',
    '{{tier}}',
  ),
}
const use = "use('cheap').prompt('support', { tier: f.request.metadata.feature as string })"
const code = (options: string): Files =>
  script('r', `export default route('r', { ${options} rules: [rule('x', { then: (f) => ${use} })] })`)
const fromFact = { name: 'support', variables: { tier: { fact: 'request.metadata.tier', or: 'free' } } }

let engine: Engine
let program: Program
let safe: Program
let json: Program
beforeAll(async () => {
  engine = await createEngine()
  program = await programOf(engine, [{ files: { ...prompts, ...code('') } }])
  safe = await programOf(engine, [{ files: { ...prompts, ...code("safeRoute: 'house',") } }])
  const rules = [{ id: 'x', then: { use: { model: 'cheap', prompt: fromFact } } }]
  json = await programOf(engine, [{ files: { ...prompts, ...policy('route', 'r', rules) } }])
})
afterAll(() => engine.dispose())
const ask = (metadata: Record<string, string>, on: Program): Evaluation =>
  on.evaluate({ facts: baseFacts({ request: { metadata } }), params: {}, models: [] })
const promptOf = (variables: object) => ({
  name: 'support',
  digest: expect.stringMatching(/^sha256:/),
  variables,
})

describe('a prompt that a route names', () => {
  test('stands on every target of the plan, with its digest and values', () => {
    expect(ask({ feature: 'free' }, program).decision.plan).toMatchObject({
      strategy: 'ordered',
      of: [{ prompt: promptOf({ tier: 'free' }) }, { prompt: promptOf({ tier: 'free' }) }],
    })
  })

  test('takes values from facts in JSON form too', () => {
    for (const [metadata, tier] of [
      [{ tier: 'paid' }, 'paid'],
      [{}, 'free'],
    ] as const) {
      expect(ask(metadata, json).decision.plan).toMatchObject({ of: [{ prompt: promptOf({ tier }) }, {}] })
    }
  })

  test('without a value that it needs, or with a wrong one, is an invalid decision that says why', () => {
    const { decision, failure } = ask({}, program)
    expect(decision).toMatchObject({
      effect: 'deny',
      reasons: [{ code: 'policy_invalid_decision', http: 503 }],
    })
    expect(failure?.message).toContain('prompt "support": The prompt\'s variable "tier" is missing.')
    expect(ask({ feature: 'gold' }, program).failure?.message).toContain('"tier" is not of its type')
  })

  test('leads to the safe route then, where there is one', () => {
    const { decision, policies } = ask({ feature: 'gold' }, safe)
    expect(decision).toMatchObject({ effect: 'allow', plan: { target: 'local/llama3.3' } })
    expect(policies[0]).toMatchObject({ outcome: 'failed', error: { kind: 'invalid' } })
  })
})
