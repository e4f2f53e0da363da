import type { Engine } from '@signalbox/policies'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { constraintWith, hungry, loop, routeWith, throwing } from './broken-policies.ts'
import { createEngine, evaluate, type Files, policy, programOf, script, summary } from './programs.ts'

let engine: Engine
beforeAll(async () => {
  engine = await createEngine()
})
afterAll(() => engine.dispose())

const house = { target: 'local/llama3.3' }

const nonsense = 'then: (f) => ({ nonsense: f.seed })'
const notJson = 'then: (f) => { const a = { f }; a.a = a; return a }'
const denies = "deny('NO')"
const uses = "use('cheap')"

interface Row {
  readonly event: string
  readonly files: Files
  readonly expected: object
}

const denied = (code: string) => ({ effect: 'deny', reasons: [`${code} by bad`], failure: code })
const byPolicy = (code: string) => ({ effect: 'deny', reasons: [code], failure: code })

const constraintRows: Row[] = [
  {
    event: 'an exception denies with 503, and all other rules are asked',
    files: constraintWith(throwing.replace('RESULT', denies)),
    expected: {
      ...denied('policy_exception'),
      policies: ['before narrowed cap', 'broken failed good !', 'last narrowed only'],
    },
  },
  {
    event: 'an exception in what follows is one too',
    files: constraintWith('then: (f) => cap({ maxOutputTokens: f.budget.tightest.usedPpm })'),
    expected: denied('policy_exception'),
  },
  {
    event: "an exception with the rule's onError continue passes over the rule",
    files: constraintWith(`${throwing.replace('RESULT', denies)}, onError: 'continue'`),
    expected: {
      effect: 'allow',
      failure: undefined,
      policies: ['before narrowed cap', 'broken narrowed good !', 'last narrowed only'],
    },
  },
  {
    event: "an exception with the policy's onError continue, too; the rule's own comes first",
    files: {
      ...constraintWith(throwing.replace('RESULT', denies), "onError: 'continue',"),
      ...script(
        'strict',
        `export default constraint('strict', { onError: 'continue', rules: [rule('bad', { ${throwing.replace('RESULT', denies)}, onError: 'deny' })] })`,
      ),
    },
    expected: { ...denied('policy_exception'), policies: expect.arrayContaining(['strict failed bad !']) },
  },
  {
    event: 'a loop without end denies with 503; the other policies are asked as if it were not there',
    files: constraintWith(loop.replace('RESULT', denies)),
    expected: {
      ...byPolicy('policy_timeout'),
      policies: ['before narrowed cap', 'broken failed - -', 'last narrowed only'],
    },
  },
  {
    event: 'a loop denies whatever its onError says: that is for exceptions',
    files: constraintWith(`${loop.replace('RESULT', denies)}, onError: 'continue'`, "onError: 'continue',"),
    expected: byPolicy('policy_timeout'),
  },
  {
    event: 'memory without end denies with 503',
    files: constraintWith(hungry.replace('RESULT', denies)),
    expected: {
      ...byPolicy('policy_memory'),
      policies: ['before narrowed cap', 'broken failed - -', 'last narrowed only'],
    },
  },
  {
    event: 'an effect that is none denies with 503',
    files: constraintWith(nonsense),
    expected: {
      ...denied('policy_invalid_decision'),
      policies: expect.arrayContaining(['broken failed good']),
    },
  },
  {
    event: 'an effect that has no JSON form denies with 503',
    files: constraintWith(notJson),
    expected: denied('policy_invalid_decision'),
  },
  {
    event: 'an effect that only a route may have denies with 503',
    files: constraintWith('then: (f) => ({ use: { model: f.request.model.requested } })'),
    expected: denied('policy_invalid_decision'),
  },
  {
    event: 'a demand for a guardrail that does not exist denies with 503',
    files: constraintWith("then: (f) => requireGuard('input', f.request.model.requested)"),
    expected: denied('policy_invalid_decision'),
  },
  {
    event: 'more guardrails than a call can have deny with 503',
    files: {
      ...Object.fromEntries(
        Array.from({ length: 33 }, (_, index) => [
          `guardrails/g${index}.guardrail.json`,
          JSON.stringify({
            kind: 'guardrail',
            id: `g${index}`,
            direction: 'input',
            when: true,
            then: { flag: { code: 'A' } },
          }),
        ]),
      ),
      ...policy(
        'constraint',
        'all',
        Array.from({ length: 33 }, (_, index) => ({
          id: `r${index}`,
          then: { requireGuard: { id: `g${index}`, direction: 'input' } },
        })),
      ),
    },
    expected: { effect: 'deny', reasons: ['policy_invalid_decision'], failure: 'policy_invalid_decision' },
  },
  {
    event: 'a rule that denies comes before a failure: its status is the one the caller sees',
    files: {
      ...constraintWith(throwing.replace('RESULT', denies)),
      ...policy('constraint', 'rule', [{ id: 'no', then: { deny: { code: 'BLOCKED', http: 418 } } }]),
    },
    expected: { effect: 'deny', reasons: ['BLOCKED by no', 'policy_exception by bad'], failure: undefined },
  },
]

const safe = "safeRoute: 'house',"
const routeRows: Row[] = [
  {
    event: 'an exception takes the safe route',
    files: routeWith(throwing.replace('RESULT', uses), safe),
    expected: {
      effect: 'allow',
      plan: house,
      failure: undefined,
      policies: ['broken failed bad !', 'next notReached -'],
    },
  },
  {
    event: 'an exception without a safe route denies with 503',
    files: routeWith(throwing.replace('RESULT', uses)),
    expected: { ...denied('policy_exception'), policies: ['broken failed bad !', 'next notReached -'] },
  },
  {
    event: 'an exception with onError continue leaves the choice to the next route',
    files: routeWith(`${throwing.replace('RESULT', uses)}, onError: 'continue'`, safe),
    expected: {
      effect: 'allow',
      plan: { strategy: 'ordered' },
      policies: ['broken failed bad !', 'next chosen all'],
    },
  },
  {
    event: 'an exception with onError deny denies, safe route or not',
    files: routeWith(throwing.replace('RESULT', uses), `${safe} onError: 'deny',`),
    expected: denied('policy_exception'),
  },
  {
    event: 'a loop without end takes the safe route, whatever onError says',
    files: routeWith(`${loop.replace('RESULT', uses)}, onError: 'deny'`, safe),
    expected: { effect: 'allow', plan: house, policies: ['broken failed - -', 'next notReached -'] },
  },
  {
    event: 'a loop without a safe route denies with 503',
    files: routeWith(loop.replace('RESULT', uses)),
    expected: byPolicy('policy_timeout'),
  },
  {
    event: 'memory without end takes the safe route',
    files: routeWith(hungry.replace('RESULT', uses), safe),
    expected: { effect: 'allow', plan: house },
  },
  {
    event: 'an effect that is none takes the safe route',
    files: routeWith(nonsense, safe),
    expected: { effect: 'allow', plan: house, policies: ['broken failed bad', 'next notReached -'] },
  },
  {
    event: 'a model that does not exist takes the safe route',
    files: routeWith('then: (f) => use(f.request.model.requested.concat("-x"))', safe),
    expected: { effect: 'allow', plan: house, policies: ['broken failed bad', 'next notReached -'] },
  },
  {
    event: 'a model that does not exist denies with 503 without a safe route',
    files: routeWith('then: (f) => use(f.request.model.requested.concat("-x"))'),
    expected: denied('policy_invalid_decision'),
  },
  {
    event: 'a strategy without an engine takes the safe route',
    files: routeWith(
      "then: (f) => ({ plan: { strategy: 'weighted', of: [{ target: f.request.model.requested }] } })",
      safe,
    ),
    expected: { effect: 'allow', plan: house },
  },
  {
    event: 'the safe route stays inside what the constraints leave',
    files: {
      ...routeWith(throwing.replace('RESULT', uses), safe),
      ...policy('constraint', 'c', [
        { id: 'cloud', then: { only: { where: { locality: 'cloud' }, code: 'CLOUD' } } },
      ]),
    },
    expected: { effect: 'deny', reasons: ['NO_ELIGIBLE_MODEL', 'CLOUD by cloud'], failure: undefined },
  },
  {
    event: "the workspace's safe route is that of a route without its own",
    files: {
      ...routeWith(loop.replace('RESULT', uses)),
      'signalbox.yaml': `name: acme
connections: { local: { provider: openai-compatible, baseUrl: "http://x.test/v1" } }
models: { cheap: [openai/gpt-5-mini], smart: [openai/gpt-5.5], house: [local/llama3.3] }
safeRoute: house
`,
    },
    expected: { effect: 'allow', plan: house },
  },
]

describe.each([
  ['constraint', constraintRows],
  ['route', routeRows],
])('a failing %s', (_, rows) => {
  test.each(rows)('$event', async ({ files, expected }) => {
    const program = await programOf(engine, [{ files }])
    const first = evaluate(program)
    expect(summary(first)).toMatchObject(expected)
    expect(evaluate(program).decisionDigest).toBe(first.decisionDigest)
  })
})
