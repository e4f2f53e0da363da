import { expect, test } from 'vitest'
import { build } from './builds.ts'

const yaml = 'name: acme\nmodels:\n  smart: [openai/gpt-5.5]\n'
const route = (then: object) => ({
  'policies/p.policy.json': JSON.stringify({ kind: 'route', id: 'p', rules: [{ id: 'r', then }] }),
})
const constraint = (then: object) => ({
  'policies/c.policy.json': JSON.stringify({ kind: 'constraint', id: 'c', rules: [{ id: 'r', then }] }),
})
const guardrail = (members: object) => ({
  'guardrails/g.guardrail.json': JSON.stringify({ kind: 'guardrail', id: 'g', ...members }),
})
const plan = (strategy: string, options: object) =>
  route({ plan: { strategy, of: [{ target: 'smart' }], with: options } })
const semantic = (model: string, thresholdPpm: number) =>
  route({ use: { model: 'smart', cache: 'readWrite', semanticCache: { model, thresholdPpm } } })
const nested = (depth: number): object =>
  depth === 0 ? { target: 'smart' } : { strategy: 'ordered', of: [nested(depth - 1)] }
const block = { block: { code: 'X' } }

/** What would go wrong at a call is wrong at `check`: the code of the error, and a part of what it says. */
const rows: [what: string, files: Record<string, string>, code: string, says: string][] = [
  [
    'a plan with a target of no connection',
    route({ plan: { target: 'nowhere/x' } }),
    'unknown_connection',
    '"nowhere"',
  ],
  [
    'a plan with a name that means nothing',
    route({ plan: { target: 'smrt' } }),
    'unknown_model',
    'did you mean "smart"',
  ],
  [
    'a fallback that means nothing',
    route({ use: { model: 'smart', fallback: ['smrt'] } }),
    'unknown_model',
    '"smrt"',
  ],
  [
    'a plan for a class of errors that means nothing',
    route({ plan: { target: 'smart' }, onErrorClass: { rateLimit: { target: 'smrt' } } }),
    'unknown_model',
    '"smrt"',
  ],
  [
    'an alias that leads to another, or to itself',
    { 'signalbox.yaml': 'name: acme\nmodels:\n  smart: [loop]\n  loop: [smart]\n' },
    'schema',
    'connection/model',
  ],
  ['a plan deeper than 8', route({ plan: nested(8) }), 'plan_depth', '8 deep'],
  ['weights for other parts', plan('weighted', { weights: [1, 2] }), 'schema', '1 parts and 2 weights'],
  ['a weight below 0', plan('weighted', { weights: [-1] }), 'schema', 'at least 0'],
  ['an option of another strategy', plan('ordered', { afterMs: 5 }), 'unknown_member', 'afterMs'],
  [
    'a share of a rate limit above all of it',
    plan('ordered', { minRemainingPpm: 1_000_001 }),
    'schema',
    '1000000',
  ],
  ['the same in a filter', constraint({ only: { where: { minRemainingPpm: 0 } } }), 'schema', 'at least 1'],
  ['an embedding model that means nothing', semantic('smrt', 900_000), 'unknown_model', '"smrt"'],
  ['a threshold that everything passes', semantic('smart', 100_000), 'schema', 'at least 500000'],
  ['a threshold that nothing passes', semantic('smart', 1_000_001), 'schema', 'at most 1000000'],
  ['too many retries', route({ use: { model: 'smart', retries: 6 } }), 'schema', 'at most 5'],
  [
    'a guardrail of the input that reads the target of the answer',
    guardrail({
      direction: 'input',
      rules: [{ id: 'a', when: { eq: [{ fact: 'target' }, 'openai/gpt-5.5'] }, then: block }],
    }),
    'unknown_fact',
    '"target"',
  ],
  [
    'a guardrail of the input with a way for streams',
    guardrail({ direction: 'input', stream: 'hold', rules: [{ id: 'a', then: block }] }),
    '',
    'an input comes whole',
  ],
  [
    'a demand for a guardrail that is not there',
    constraint({ requireGuard: { id: 'none', direction: 'input' } }),
    '',
    '"none"',
  ],
  [
    'a demand for a guardrail of the other direction',
    {
      ...guardrail({ direction: 'output', rules: [{ id: 'a', then: block }] }),
      ...constraint({ requireGuard: { id: 'g', direction: 'input' } }),
    },
    '',
    '"g"',
  ],
]

test.each(rows)('%s is an error at check', async (_, files, code, says) => {
  const { problems } = await build({ 'signalbox.yaml': yaml, ...files })
  const errors = problems.filter(({ severity }) => severity === 'error')
  const told = errors.map((each) => `${each.code}: ${each.message}`)
  expect(
    told.some((each) => each.startsWith(code) && each.includes(says)),
    told.join('\n'),
  ).toBe(true)
})
