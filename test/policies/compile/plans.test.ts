import {
  baseFacts,
  buildVersion,
  createEngine,
  type Engine,
  loadCatalogue,
  runCases,
} from '@signalbox/policies'
import { planFeatures } from '@signalbox/sdk/contract'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { workspaceFile } from './builds.ts'

const catalogue = loadCatalogue()
let engine: Engine
beforeAll(async () => {
  engine = await createEngine()
})
afterAll(() => engine.dispose())

const draft = `import {
  hedged, leastBusy, lowestCost, lowestLatency, ordered, pipeline, route, rule, signal, step, sticky, target, use, weighted,
} from '@signalbox/policies'
`
const polished = `pipeline(
        step('draft', use('cheap').maxOutputTokens(900)),
        step('polish', use('smart').prompt('polish'),
          { onlyIf: signal('draft.confidencePpm').lt(800_000), onFailure: 'returnPrevious' }),
      ).costCap(20_000_000)`
const nested = `weighted(
        { weight: 3, part: hedged('smart', 'cheap').with({ afterMs: 800, extraCostNanoUsd: 1000 }) },
        { weight: 1, part: sticky(lowestCost('smart', 'cheap'), lowestLatency('cheap').with({ tolerancePpm: 50_000 })).with({ by: 'session' }) },
        { weight: 1, part: leastBusy(target('cheap', { timeouts: { totalMs: 5 } }), ordered('smart')) },
      ).with({ by: 'stickyKey' }).mirror('cheap').cache('read').onErrorClass({ contextWindow: use('openai/gpt-5.5').fallback('smart') }).obligation('tag', { a: 'b' })`
const typescript = (plan: string): string =>
  `${draft}export default route('p', { rules: [rule('r', { then: () => ${plan} })] })\n`

async function build(plan: string | object, anyPlan: boolean) {
  const policy: [string, string] =
    typeof plan === 'string'
      ? ['policies/p.policy.ts', typescript(plan)]
      : [
          'policies/p.policy.json',
          JSON.stringify({ kind: 'route', id: 'p', rules: [{ id: 'r', then: plan }] }),
        ]
  const files = new Map([
    ['signalbox.yaml', workspaceFile],
    policy,
    ['prompts/polish.prompt.md', '---\nname: polish\nvariables: {}\n---\nPolish it.\n'],
    [
      'tests/p.cases.yaml',
      'policy: p\ncases:\n  - name: has a plan\n    expect: { effect: allow, rule: r }\n',
    ],
  ])
  const result = await buildVersion(files, { catalogue, typeCheck: typeof plan === 'string', anyPlan })
  return { ...result, files }
}

async function decisionOf(plan: string | object) {
  const { version, files, problems } = await build(plan, true)
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([])
  if (version === null) throw new Error('no version')
  const report = await runCases(version, files, { engine, catalogue })
  expect(report.results.flatMap((result) => (result.passed ? [] : [result]))).toEqual([])
  const { digest, script, compiled } = version
  const loaded = [{ digest, script, compiled, nodePath: [] }]
  const program = engine.load(loaded, { environment: 'development', features: planFeatures })
  const { decision } = program.evaluate({ facts: baseFacts({}), models: [], params: {} })
  program.dispose()
  return decision
}

const ordered = (...targets: string[]) => ({ strategy: 'ordered', of: targets.map((target) => ({ target })) })
const [smart, cheap] = [
  ordered('anthropic/claude-opus-4-8', 'openai/gpt-5.5'),
  ordered('openai/gpt-5-mini', 'local/llama3.3'),
]

describe('plans', () => {
  test('draft and polish, as data of a decision', async () => {
    const decision = await decisionOf(polished)
    expect(decision.caps).toEqual({ costNanoUsd: 20_000_000 })
    expect(decision.plan).toMatchObject({
      pipeline: [
        { id: 'draft', node: { of: [{ patch: { maxOutputTokens: 900 } }, {}] }, onFailure: 'fail' },
        {
          id: 'polish',
          node: { of: [{ prompt: { name: 'polish' } }, {}] },
          onlyIf: { lt: [{ signal: 'draft.confidencePpm' }, 800_000] },
          onFailure: 'returnPrevious',
        },
      ],
    })
  })

  test('every strategy, nested, with what stands beside it, the same in both forms', async () => {
    const written = await decisionOf(nested)
    const data = await decisionOf({
      plan: {
        strategy: 'weighted',
        of: [
          {
            strategy: 'hedged',
            of: [{ target: 'smart' }, { target: 'cheap' }],
            with: { afterMs: 800, extraCostNanoUsd: 1000 },
          },
          {
            strategy: 'sticky',
            of: [
              { strategy: 'lowestCost', of: [{ target: 'smart' }, { target: 'cheap' }] },
              { strategy: 'lowestLatency', of: [{ target: 'cheap' }], with: { tolerancePpm: 50_000 } },
            ],
            with: { by: 'session' },
          },
          {
            strategy: 'leastBusy',
            of: [
              { target: 'cheap', timeouts: { totalMs: 5 } },
              { strategy: 'ordered', of: [{ target: 'smart' }] },
            ],
          },
        ],
        with: { weights: [3, 1, 1], by: 'stickyKey' },
      },
      mirror: 'cheap',
      cache: 'read',
      onErrorClass: {
        contextWindow: { strategy: 'ordered', of: [{ target: 'openai/gpt-5.5' }, { target: 'smart' }] },
      },
      obligations: [{ type: 'tag', args: { a: 'b' } }],
    })
    expect(written).toEqual(data)
    expect(written).toMatchObject({
      mirror: 'openai/gpt-5-mini',
      cache: 'read',
      obligations: [{ type: 'tag', args: { a: 'b' } }],
      onErrorClass: { contextWindow: { strategy: 'ordered', of: [{ target: 'openai/gpt-5.5' }, smart] } },
    })
    expect(written.plan).toMatchObject({ of: [{ of: [smart, cheap] }, {}, {}] })
  })

  test('that have no engine are refused where they are said, and cases run all the same', async () => {
    const { version, problems } = await build(nested, false)
    expect(version).toBeNull()
    expect(
      problems.map(({ line, column, code, message }) => `${line}:${column} ${code} ${message.split(' ')[0]}`),
    ).toEqual(['8:35 unsupported_strategy "mirror"', '8:138 unsupported_strategy "obligations"'])
    expect(problems[0]?.message).toContain(
      '"mirror" is not carried out by the gateway of this release: no copy of the call would be sent.',
    )
  })

  const wrong: [what: string, then: object, message: string][] = [
    [
      'a weight too few',
      { strategy: 'weighted', of: [{ target: 'smart' }, { target: 'cheap' }], with: { weights: [1] } },
      'there are 2 parts and 1 weights',
    ],
    [
      'an unknown option',
      { strategy: 'hedged', of: [{ target: 'smart' }], with: { afterMS: 5 } },
      'did you mean "afterMs"?',
    ],
    [
      'two steps of one name',
      {
        pipeline: [
          { id: 'a', node: { target: 'smart' }, onFailure: 'fail' },
          { id: 'a', node: { target: 'smart' }, onFailure: 'fail' },
        ],
      },
      'two steps are called "a"',
    ],
    [
      'a signal of a later step',
      {
        pipeline: [
          {
            id: 'a',
            node: { target: 'smart' },
            onFailure: 'fail',
            onlyIf: { lt: [{ signal: 'b.chars' }, 5] },
          },
          { id: 'b', node: { target: 'smart' }, onFailure: 'fail' },
        ],
      },
      'unknown signal "b.chars"',
    ],
    [
      'a signal of another type',
      {
        pipeline: [
          { id: 'a', node: { target: 'smart' }, onFailure: 'fail' },
          {
            id: 'b',
            node: { target: 'smart' },
            onFailure: 'fail',
            onlyIf: { lt: [{ signal: 'a.finish' }, 5] },
          },
        ],
      },
      '"lt" compares "a.finish", a string, with 5',
    ],
  ]
  test.each(wrong)('with %s do not compile', async (_, plan, message) => {
    const { problems } = await build({ plan }, true)
    const errors = problems.filter(({ severity }) => severity === 'error').map((each) => each.message)
    expect(errors).toEqual([expect.stringContaining(message)])
  })
})
