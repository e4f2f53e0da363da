import { Decision, type PolicyResult } from '@signalbox/sdk/contract'
import { didYouMean } from '../compile/near-name.ts'
import { fitsParam, paramsOf } from '../evaluation/param-values.ts'
import type { Evaluation, ParamValue } from '../program.ts'
import { CaseError, factsOfCase } from './case-facts.ts'
import type { CaseRun, ReadyCase } from './case-run.ts'
import type { PolicyCase, PolicySuite } from './cases-file.ts'
import { type Combination, expandMatrix } from './expand-matrix.ts'
import { type Actual, differences } from './expectation.ts'
import { columnsOf } from './model-columns.ts'
import type { Snapshots } from './snapshots.ts'

const environmentDefault = 'development'

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

/** The facts a file or a case gives: those written there, or those of a fixture. */
function givenFacts(facts: PolicyCase['facts'], run: CaseRun): unknown {
  if (typeof facts !== 'string') return facts ?? {}
  const text = run.files.get(facts)
  if (text === undefined) {
    const fixtures = [...run.files.keys()].filter((path) => path.startsWith('fixtures/'))
    throw new CaseError(`there is no file ${facts}${didYouMean(facts, fixtures)}`)
  }
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new CaseError(`${facts} is not JSON: ${error instanceof Error ? error.message : ''}`)
  }
}

/** A value that does not fit would silently count as not given. */
function checkParams(params: Readonly<Record<string, ParamValue>>, run: CaseRun): void {
  const declared = paramsOf(run.compiled)
  for (const [name, value] of Object.entries(params)) {
    const declaration = Object.hasOwn(declared, name) ? declared[name] : undefined
    if (declaration === undefined) {
      throw new CaseError(`no policy declares a param "${name}"${didYouMean(name, Object.keys(declared))}`)
    }
    if (!fitsParam(declaration, value)) {
      throw new CaseError(
        `param "${name}" cannot be ${JSON.stringify(value)}: ${JSON.stringify(declaration)}`,
      )
    }
  }
}

function evaluate(
  suite: PolicySuite,
  each: PolicyCase,
  context: { combination: Combination; run: CaseRun; policy: string | undefined },
): Evaluation {
  const { combination, run, policy } = context
  const environment = each.environment ?? suite.environment ?? environmentDefault
  const isBlind = each.throw === true
  const program = run.program(environment, policy === undefined ? {} : { only: policy, blind: isBlind })
  const names = run.names(environment)
  const now = each.now ?? suite.now
  const facts = factsOfCase({
    compiled: run.compiled,
    environment,
    names,
    given: givenFacts(each.facts ?? suite.facts, run),
    ...(now !== undefined && { nowMs: Date.parse(now) }),
    set: { ...each.set, ...combination.set },
    candidates: program.candidates,
  })
  const params = { ...suite.params, ...each.params }
  checkParams(params, run)
  const models = facts.models.map(({ target }) =>
    columnsOf(target, { compiled: run.compiled, names, catalogue: run.catalogue }),
  )
  const evaluation = program.evaluate({ facts, models, params: { [run.compiled.name]: params } })
  run.countFuel(evaluation.fuel)
  const threw = evaluation.policies.some(({ id, trace }) => id === policy && trace.includes('!'))
  if (isBlind && !threw)
    throw new CaseError('no condition of the policy throws without facts, so that "throw" shows nothing')
  return evaluation
}

/** What one policy said, and the decision it was a part of. */
function actualOfPolicy(id: string, evaluation: Evaluation, wanted: unknown): Actual {
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
function actualOfBundle(evaluation: Evaluation): Actual {
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
  const evaluation = evaluate(suite, each, { combination, run, policy })
  for (const result of evaluation.policies) {
    if (policy === undefined || result.id === policy) run.coverage.add(result)
  }
  const expected = each.expect ?? {}
  const actual =
    policy === undefined ? actualOfBundle(evaluation) : actualOfPolicy(policy, evaluation, expected.effect)
  const found = differences(expected, actual)
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
    throw new CaseError(`there is no policy "${suite.policy}"${didYouMean(suite.policy, ids)}`)
  }
  return suite.cases.flatMap((each, index) =>
    readyCase(each, index, (combination) => runCase({ suite, run, snapshots }, each, combination)),
  )
}
