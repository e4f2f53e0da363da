import type { Engine } from '@signalbox/policies'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createEngine, evaluate, policy, programOf, summary } from './programs.ts'

let engine: Engine
beforeAll(async () => {
  engine = await createEngine()
})
afterAll(() => engine.dispose())

const isStream = { fact: 'request.stream' }
const ordered = (...targets: string[]) => ({ strategy: 'ordered', of: targets.map((target) => ({ target })) })

describe('layers', () => {
  const rootFiles = {
    ...policy('constraint', 'root-cap', [{ id: 'cap', then: { cap: { maxOutputTokens: 100 } } }]),
    ...policy('route', 'root-route', [{ id: 'root', then: { use: { model: 'smart' } } }]),
  }
  const teamFile = `name: search
models: { smart: [openai/gpt-5.5-pro], mine: [openai/gpt-5-nano] }
`
  const teamFiles = {
    'signalbox.yaml': teamFile,
    ...policy('constraint', 'team-cap', [
      { id: 'cap', then: { cap: { maxOutputTokens: 400, costNanoUsd: 7 } } },
    ]),
    ...policy('route', 'team-route', [
      { id: 'stream', when: isStream, then: { use: { model: 'mine' } } },
      { id: 'rest', then: { continue: true } },
    ]),
  }
  const layers = [{ files: rootFiles }, { files: teamFiles, nodePath: ['search'] }]

  test('constraints of all layers accumulate, root first; the most specific route wins', async () => {
    const program = await programOf(engine, layers)
    const evaluation = evaluate(program, { request: { stream: true } })
    expect(program.workspaces).toEqual(['acme', 'search'])
    expect(evaluation.decision.caps).toEqual({ maxOutputTokens: 100, costNanoUsd: 7 })
    expect(summary(evaluation)).toMatchObject({
      plan: { target: 'openai/gpt-5-nano' },
      policies: [
        'root-cap narrowed cap',
        'team-cap narrowed cap',
        'team-route chosen stream 1',
        'root-route notReached -',
      ],
    })
  })

  test('a route that continues leaves the choice to the layer above; an alias is that of the nearest layer', async () => {
    const program = await programOf(engine, layers)
    expect(summary(evaluate(program))).toMatchObject({
      plan: { target: 'openai/gpt-5.5-pro' },
      policies: [
        'root-cap narrowed cap',
        'team-cap narrowed cap',
        'team-route continued rest 0',
        'root-route chosen root',
      ],
    })
  })

  test('only the layers on the path of the key are asked', async () => {
    const program = await programOf(engine, layers)
    expect(summary(evaluate(program, {}, { layers: [0] }))).toMatchObject({
      plan: ordered('anthropic/claude-opus-4-8', 'openai/gpt-5.5'),
      policies: ['root-cap narrowed cap', 'root-route chosen root'],
    })
    expect(() => evaluate(program, {}, { layers: [5] })).toThrow(RangeError)
  })
})

describe('environments', () => {
  const files = {
    'signalbox.yaml': `name: acme
connections: { openai: { provider: openai }, local: { provider: openai-compatible, baseUrl: "http://x.test/v1" } }
models: { smart: [openai/gpt-5.5] }
environments:
  production:
    models: { smart: [local/llama] }
    connections: { local: { locality: on-prem } }
    params: { limit: 5 }
`,
    ...policy(
      'constraint',
      'c',
      [
        { id: 'l', then: { only: { where: { locality: 'on-prem' }, code: 'LOCAL' } } },
        { id: 'p', when: { gt: [{ param: 'limit' }, 10] }, then: { cap: { maxOutputTokens: 1 } } },
      ],
      { params: { limit: { type: 'int', default: 20, min: 0, max: 30 } } },
    ),
    ...policy('route', 'r', [{ id: 'all', then: { use: { model: 'smart' } } }]),
  }

  test('override aliases, connections and params by name', async () => {
    const production = await programOf(engine, [{ files }], 'production')
    expect(summary(evaluate(production))).toMatchObject({
      plan: { target: 'local/llama' },
      policies: ['c narrowed l 0', 'r chosen all'],
    })
    const development = await programOf(engine, [{ files }], 'development')
    expect(summary(evaluate(development))).toMatchObject({
      effect: 'deny',
      reasons: ['NO_ELIGIBLE_MODEL by all', 'LOCAL by l'],
      policies: ['c narrowed l 1', 'r chosen all'],
    })
    expect(production.candidates).toEqual(['local/llama', 'openai/gpt-5.5'])
  })

  test('hot values come before those of the environment; one that does not fit counts as not given', async () => {
    const program = await programOf(engine, [{ files }], 'production')
    const traceWith = (limit: number) =>
      evaluate(program, {}, { params: { acme: { limit } } }).policies[0]?.trace
    expect([traceWith(30), traceWith(31), traceWith(1.5), traceWith(0)]).toEqual(['1', '0', '0', '0'])
  })
})
