import { Decision, type PolicyResult } from '@signalbox/sdk/contract'
import { didYouMean } from '../compile/near-name.ts'
import type { InspectedEvaluation } from '../program.ts'
import { breaksOf } from './breaks.ts'
import { CaseError } from './case-facts.ts'
import { type CaseRun, environmentDefault, type ReadyCase } from './case-run.ts'
import type { PolicyCase, PolicySuite } from './cases-file.ts'
import { type AskedEvaluation, evaluateIn } from './evaluate-case.ts'
import { type Combination, expandMatrix } from './expand-matrix.ts'
import { type Actual, differences } from './expectation.ts'
import type { Snapshots } from './snapshots.ts'
import { whyLines } from './why-lines.ts'

/**
 * What `effect` means for one policy. A route where no rule matched leaves the choice to the next, as
 * `continue` does.
 */
const effectsOf: Readonly<Record<PolicyResult['outcome'], readonly string[]>> = {
  denied: ['deny'],
  narrowed: ['narrow'],
  chosen: ['allow'],
  continued: ['continue'],
  noEffect: ['noEffect', 'continue'],
  notApplicable: ['notApplicable', 'noEffect', 'continue'],
  notReached: ['notReached'],
  failed: ['failed'],
}

const effectNames = [...new Set(Object.values(effectsOf).flat())]

/** The facts a file or a case gives: those written there, or those of a fixture. */
function givenFacts(facts: PolicyCase['facts'], run: CaseRun): unknown {
  if (typeof facts !== 'string') return facts ?? {}
  const text = run.files.get(facts)
  if (text === undefined) {
    const fixtures = [...run.files.keys()].filter((path) => path.startsWith('fixtures/'))
    throw new CaseError(`there is no file ${facts}${didYouMean(facts, fixtures)}`, ['facts'])
  }
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new CaseError(`${facts} is not JSON: ${error instanceof Error ? error.message : ''}`)
  }
}

function environmentOf(suite: PolicySuite, each: PolicyCase): string {
  return each.environment ?? suite.environment ?? environmentDefault
}

function evaluate(
  suite: PolicySuite,
  each: PolicyCase,
  context: { combination: Combination; run: CaseRun; policy: string | undefined },
): AskedEvaluation {
  const { combination, run, policy } = context
  const environment = environmentOf(suite, each)
  const now = each.now ?? suite.now
  const params = { ...suite.params, ...each.params }
  const breaks = breaksOf(each.throw, policy, run)
  const asked = evaluateIn(run, {
    environment,
    given: givenFacts(each.facts ?? suite.facts, run),
    ...(now !== undefined && { nowMs: Date.parse(now) }),
    set: { ...each.set, ...combination.set },
    params,
    ...(policy !== undefined && { only: policy }),
    ...(breaks !== undefined && { breaks }),
  })
  const threw = asked.evaluation.outcomes.some(({ failures }) =>
    failures.some(({ kind }) => kind === 'exception'),
  )
  if (breaks !== undefined && !threw) {
    throw new CaseError('"throw" shows nothing: with these facts the policy does not ask the rule')
  }
  return asked
}

/** What one policy said, and the decision it was a part of. */
function actualOfPolicy(id: string, evaluation: InspectedEvaluation, wanted: unknown): Actual {
  if (typeof wanted === 'string' && !effectNames.includes(wanted)) {
    const message = `"effect" cannot be ${wanted}: it is one of ${effectNames.join(', ')}`
    throw new CaseError(`${message}${didYouMean(wanted, effectNames)}`, ['expect', 'effect'])
  }
  const result = evaluation.policies.find((each) => each.id === id)
  const effects = [...(result === undefined ? ['notReached'] : effectsOf[result.outcome])]
  // What a failed policy came to is what its `onError` made of it.
  if (result?.outcome === 'failed') effects.push(evaluation.decision.effect === 'deny' ? 'deny' : 'continue')
  return {
    named: {
      effect: typeof wanted === 'string' && effects.includes(wanted) ? wanted : effects[0],
      rule: result?.rule ?? undefined,
      error: result?.error?.kind,
    },
    lists: { reasons: evaluation.decision.reasons },
    document: { value: evaluation.decision, schema: Decision },
  }
}

/** What all policies decided together, and which one was decisive. */
function actualOfBundle(evaluation: InspectedEvaluation): Actual {
  const { decision, policies, failure } = evaluation
  const outcome = decision.effect === 'deny' ? 'denied' : 'chosen'
  const decisive = policies.find((each) => each.outcome === outcome)
  return {
    named: {
      effect: decision.effect,
      rule: decisive?.rule ?? undefined,
      policy: decisive?.id ?? failure?.policy,
      error: failure?.code,
    },
    lists: { reasons: decision.reasons },
    document: { value: decision, schema: Decision },
  }
}

/** Runs one combination of one case. */
function runCase(
  context: { suite: PolicySuite; run: CaseRun; snapshots: Snapshots },
  each: PolicyCase,
  combination: Combination,
): string[] {
  const { suite, run, snapshots } = context
  const policy = each.bundle === undefined ? suite.policy : undefined
  const { input, evaluation } = evaluate(suite, each, { combination, run, policy })
  run.coverage.add(evaluation, policy)
  const expected = each.expect ?? {}
  const actual =
    policy === undefined ? actualOfBundle(evaluation) : actualOfPolicy(policy, evaluation, expected.effect)
  const differing = differences(expected, actual)
  const failed = {
    run,
    environment: environmentOf(suite, each),
    input,
    evaluation,
    policy,
    rule: expected.rule,
  }
  const found = differing.length === 0 ? [] : [...differing, ...whyLines(failed)]
  if (each.snapshot !== true) return found
  const policies = evaluation.policies
    .filter((result) => policy === undefined || result.id === policy)
    .map(({ id, rule, outcome }) => ({ id, rule, outcome }))
  const seen = { decision: evaluation.decision, policies }
  return [...found, ...snapshots.compare(`${each.name}${combination.suffix}`, seen)]
}

/** The combinations of a case; where there are too many, one case that says so. */
function readyCase(
  each: PolicyCase,
  index: number,
  run: (combination: Combination) => string[],
): ReadyCase[] {
  try {
    return expandMatrix(each.matrix).map((combination) => ({
      name: `${each.name}${combination.suffix}`,
      index,
      run: () => run(combination),
    }))
  } catch (error) {
    const fail = (): never => {
      throw error
    }
    return [{ name: each.name, index, run: fail }]
  }
}

/**
 * The cases of a file about policies, every combination of a matrix a case of its own.
 * @throws CaseError where the version has no such policy.
 */
export function readyPolicyCases(suite: PolicySuite, run: CaseRun, snapshots: Snapshots): ReadyCase[] {
  const ids = run.compiled.policies.map((policy) => policy.id)
  if (suite.policy !== undefined && !ids.includes(suite.policy)) {
    throw new CaseError(`there is no policy "${suite.policy}"${didYouMean(suite.policy, ids)}`, ['policy'])
  }
  return suite.cases.flatMap((each, index) =>
    readyCase(each, index, (combination) => runCase({ suite, run, snapshots }, each, combination)),
  )
}
