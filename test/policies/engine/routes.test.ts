import type { Engine } from '@signalbox/policies'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  createEngine,
  evaluate,
  type Files,
  type PartialFacts,
  policy,
  programOf,
  script,
  summary,
} from './programs.ts'

let engine: Engine
beforeAll(async () => {
  engine = await createEngine()
})
afterAll(() => engine.dispose())

const isFree = { eq: [{ fact: 'request.metadata.tier', or: 'paid' }, 'free'] }
const isStream = { fact: 'request.stream' }
const ordered = (...targets: string[]) => ({ strategy: 'ordered', of: targets.map((target) => ({ target })) })
const cheap = ordered('openai/gpt-5-mini', 'local/llama3.3')

interface Row {
  readonly rule: string
  readonly files: Files
  readonly facts?: PartialFacts
  /** Members of the summary, and under `decision` of the decision. */
  readonly expected: Readonly<Record<string, unknown>> & { readonly decision?: object }
}

const routes: Row[] = [
  {
    rule: 'inside a route the first rule that matches wins',
    files: policy('route', 'r', [
      { id: 'free', when: isFree, then: { use: { model: 'house' } } },
      { id: 'stream', when: isStream, then: { use: { model: 'smart' } } },
      { id: 'rest', then: { use: { model: 'cheap' } } },
    ]),
    facts: { request: { stream: true } },
    expected: {
      plan: ordered('anthropic/claude-opus-4-8', 'openai/gpt-5.5'),
      policies: ['r chosen stream 01'],
    },
  },
  {
    rule: 'the first route that does not continue wins, in the order of file names',
    files: {
      ...policy('route', '10-none', [{ id: 'never', when: isFree, then: { use: { model: 'smart' } } }]),
      ...policy('route', '20-on', [{ id: 'on', then: { continue: true } }]),
      ...policy('route', '30-use', [{ id: 'use', then: { use: { model: 'house' } } }]),
      ...policy('route', '40-late', [{ id: 'late', when: isStream, then: { use: { model: 'smart' } } }]),
    },
    expected: {
      plan: { target: 'local/llama3.3' },
      policies: ['10-none noEffect - 0', '20-on continued on', '30-use chosen use', '40-late notReached - -'],
    },
  },
  {
    rule: 'a route may deny',
    files: policy('route', 'r', [{ id: 'no', then: { deny: { code: 'OVER_BUDGET', http: 429 } } }]),
    expected: {
      effect: 'deny',
      reasons: ['OVER_BUDGET by no'],
      policies: ['r denied no'],
      failure: undefined,
    },
  },
  {
    rule: 'aliases and targets become targets in order, each once',
    files: policy('route', 'r', [
      { id: 'all', then: { use: { model: 'cheap', fallback: ['openai/gpt-5-mini', 'smart', 'house'] } } },
    ]),
    expected: {
      plan: ordered('openai/gpt-5-mini', 'local/llama3.3', 'anthropic/claude-opus-4-8', 'openai/gpt-5.5'),
    },
  },
  {
    rule: 'variant and notes of a use come through; the rollout is the policy where none is named',
    files: script(
      'r',
      "export default route('r', { rules: [rule('all', { then: () => use(['house', 'cheap']).variant('canary').annotate('why', 'test').temperaturePpm(700_000) })] })",
    ),
    expected: {
      plan: {
        strategy: 'ordered',
        of: [
          { target: 'local/llama3.3', patch: { temperaturePpm: 700_000 } },
          { target: 'openai/gpt-5-mini', patch: { temperaturePpm: 700_000 } },
        ],
      },
      decision: { variant: { rollout: 'r', name: 'canary' }, annotations: { why: 'test' } },
    },
  },
  {
    rule: 'a plan tree keeps its shape, with aliases put in',
    files: script(
      'r',
      "export default route('r', { rules: [rule('all', { then: () => ordered(ordered('smart'), use('house').maxOutputTokens(5)) })] })",
    ),
    expected: {
      plan: {
        strategy: 'ordered',
        of: [
          { strategy: 'ordered', of: [ordered('anthropic/claude-opus-4-8', 'openai/gpt-5.5')] },
          { target: 'local/llama3.3', patch: { maxOutputTokens: 5 } },
        ],
      },
    },
  },
  {
    rule: 'a route may hand on what the caller asked for, in any spelling that the host knows',
    files: script(
      'r',
      "export default route('r', { rules: [rule('all', { then: (f) => use(f.request.model.requested).fallback('house') })] })",
    ),
    facts: { request: { model: { requested: 'gpt-5-mini', targets: ['openai/gpt-5-mini'] } } },
    expected: { plan: ordered('openai/gpt-5-mini', 'local/llama3.3') },
  },
  {
    rule: 'a JSON route may take its model from a fact',
    files: policy('route', 'r', [
      {
        id: 'all',
        then: { use: { model: { fact: 'request.model.alias', or: 'smart' }, annotate: { a: 'b' } } },
      },
    ]),
    expected: { plan: cheap, decision: { annotations: { a: 'b' } } },
  },
]

const clamps: Row[] = [
  {
    rule: 'a route is cut down to what the constraints leave, its shape kept',
    files: {
      ...policy('constraint', 'c', [
        { id: 'us', then: { only: { where: { locality: 'cloud' }, code: 'CLOUD' } } },
      ]),
      ...script(
        'r',
        "export default route('r', { rules: [rule('all', { then: () => ordered(ordered('house', 'smart'), 'house', 'cheap') })] })",
      ),
    },
    expected: {
      plan: {
        strategy: 'ordered',
        of: [ordered('anthropic/claude-opus-4-8', 'openai/gpt-5.5'), { target: 'openai/gpt-5-mini' }],
      },
      reasons: ['CLOUD by us'],
    },
  },
  {
    rule: 'an empty rest denies, with the rules that took the models away',
    files: {
      ...policy('constraint', 'c', [
        { id: 'local', then: { only: { where: { locality: 'on-prem' }, code: 'LOCAL_ONLY' } } },
        {
          id: 'harmless',
          then: { only: { where: { connection: ['anthropic', 'openai', 'local'] }, code: 'KNOWN' } },
        },
      ]),
      ...policy('route', 'r', [{ id: 'all', then: { use: { model: 'smart' } } }]),
    },
    expected: {
      effect: 'deny',
      plan: undefined,
      reasons: ['NO_ELIGIBLE_MODEL by all', 'LOCAL_ONLY by local'],
      failure: undefined,
      decision: {
        reasons: [
          {
            code: 'NO_ELIGIBLE_MODEL',
            http: 403,
            audience: 'caller',
            policy: 'r',
            rule: 'all',
            workspace: 'acme',
          },
          { code: 'LOCAL_ONLY', audience: 'operator', policy: 'c', rule: 'local', workspace: 'acme' },
        ],
      },
    },
  },
  {
    rule: 'the default route is cut down too',
    files: policy('constraint', 'c', [{ id: 'l', then: { only: { where: { locality: 'on-prem' } } } }]),
    facts: { request: { model: { requested: 'smart', targets: ['openai/gpt-5.5'] } } },
    expected: { effect: 'deny', reasons: ['NO_ELIGIBLE_MODEL', 'MODEL_NOT_ALLOWED by l'] },
  },
  {
    rule: 'a constraint may keep the rows it picks from the candidates',
    files: script(
      'c',
      "export default constraint('c', { rules: [rule('big', { then: (f) => only(f.models.filter((m) => (m.contextTokens ?? 0) >= 1000), { code: 'BIG' }) })] })",
    ),
    expected: { effect: 'deny', reasons: ['NO_ELIGIBLE_MODEL', 'BIG by big'] },
  },
]

describe.each([
  ['routes', routes],
  ['the clamp', clamps],
])('%s', (_, rows) => {
  test.each(rows)('$rule', async ({ files, facts, expected }) => {
    const program = await programOf(engine, [{ files }])
    const evaluation = evaluate(program, facts)
    const { decision, ...rest } = expected
    expect(summary(evaluation)).toMatchObject(rest)
    if (decision !== undefined) expect(evaluation.decision).toMatchObject(decision)
  })
})
