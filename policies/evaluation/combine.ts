import { type Decision, errorTable, type Facts, type PlanNode, type Reason } from '@signalbox/sdk/contract'
import type { Evaluation } from '../program.ts'
import { type Beside, besideOf, clampBeside } from './beside-plan.ts'
import { type FilterColumns, type LayerPath, promptFault } from './layer-path.ts'
import {
  denialOf,
  isAllowed,
  type Narrowed,
  narrow,
  reasonsOfElimination,
  reasonsToDeny,
  smallerCaps,
} from './narrow.ts'
import { type Failure, failureCodes, failureOf, type PolicyOutcome, reasonOfFailure } from './outcomes.ts'
import { clampPatches, keepTargets, orderedTargets, targetsOf } from './plan-tree.ts'

/** What the policies of all layers said. */
export interface Said {
  /** Constraints that were asked, root first. */
  readonly constraints: readonly PolicyOutcome[]
  /** Routes that were asked, most specific layer first; the last one is the one that chose, if any did. */
  readonly routes: readonly PolicyOutcome[]
}
export interface Combined {
  readonly decision: Decision
  readonly failure?: Evaluation['failure']
  /** The failure of the route that was decisive, if it broke. */
  readonly routeFailure?: Failure
}

/** What the routes chose. */
type Choice =
  | {
      readonly plan: PlanNode | null
      readonly by?: PolicyOutcome
      /** What the choice says beside its plan; its plans are not yet inside what constraints leave. */
      readonly beside?: Beside
      /** Why it is the safe route. */
      readonly routeFailure?: Failure
    }
  | { readonly deny: Reason }
  | { readonly routeFailure: Failure }

const reasonsMax = 64
const nobody = { policy: '', rule: '', workspace: '' }

/** A failing route goes to its safe route, unless its author wants a denial; without one the call ends in 503. */
function safeChoice(failure: Failure, outcome: PolicyOutcome, path: LayerPath): Choice {
  const { safeRoute } = failure.policy
  const targets = safeRoute === undefined ? undefined : path.targets(safeRoute)
  const denies = failure.kind === 'exception' && failure.onError === 'deny'
  if (targets === undefined || denies) return { routeFailure: failure }
  return { plan: orderedTargets(targets), by: outcome, routeFailure: failure }
}

/** What the first route that does not leave the choice to the next says. */
function choose(said: Said, facts: Facts, path: LayerPath): Choice {
  for (const outcome of said.routes) {
    const { policy } = outcome
    const [failure] = outcome.failures
    if (failure !== undefined) {
      if (failure.kind === 'exception' && failure.onError === 'continue') continue
      return safeChoice(failure, outcome, path)
    }
    const [ruling] = outcome.said
    const [effect] = ruling?.effects ?? []
    if (ruling === undefined || effect === undefined || 'continue' in effect) continue
    const by = { policy: policy.id, rule: ruling.rule.id, workspace: policy.workspace }
    if ('deny' in effect) return { deny: denialOf(effect.deny, by) }
    const plan = ruling.fixed
      ? path.fixedPlan(effect, policy.names)
      : path.plan(effect, policy.names, facts.request.model)
    if (plan !== null) return { plan, by: outcome, beside: besideOf(effect, path, policy.names) }
    const message = promptFault(effect, policy.names) ?? 'names a model that does not exist'
    const what = { kind: 'invalid', message } as const
    return safeChoice(failureOf(policy, ruling.rule, what), outcome, path)
  }
  return { plan: orderedTargets(facts.request.model.targets) }
}

function denied(narrowed: Narrowed, reasons: readonly Reason[]): Decision {
  return {
    schema: 'decision/1',
    effect: 'deny',
    reasons: reasons.slice(0, reasonsMax),
    caps: narrowed.caps,
    guardrails: narrowed.guardrails,
    obligations: [],
    annotations: {},
  }
}

function refusedBy(failure: Failure | undefined): Partial<Combined> {
  if (failure === undefined) return {}
  const { kind, policy, message } = failure
  return { failure: { code: failureCodes[kind], policy: policy.id, message } }
}

/** The plan inside what the constraints leave, or a denial that names the rules which left nothing. */
function clamp(
  choice: Extract<Choice, { plan: unknown }>,
  narrowed: Narrowed,
  columnsOf: (target: string) => FilterColumns,
): Decision {
  const { plan, by, beside = {} } = choice
  const { filters, caps, guardrails } = narrowed
  const kept = plan === null ? null : keepTargets(plan, (target) => isAllowed(target, filters, columnsOf))
  const targets = plan === null ? [] : targetsOf(plan)
  const eliminating = reasonsOfElimination(targets, filters, columnsOf)
  if (kept === null) {
    const chosen = by?.said[0]?.rule.id ?? ''
    const source =
      by === undefined ? nobody : { policy: by.policy.id, rule: chosen, workspace: by.policy.workspace }
    return denied(narrowed, [denialOf({ code: 'NO_ELIGIBLE_MODEL' }, source), ...eliminating])
  }
  const narrowest = smallerCaps(caps, beside.caps ?? {})
  return {
    schema: 'decision/1',
    effect: 'allow',
    reasons: eliminating.slice(0, reasonsMax),
    plan: clampPatches(kept, narrowest),
    guardrails,
    obligations: [],
    annotations: {},
    ...clampBeside(beside, narrowest, (target) => isAllowed(target, filters, columnsOf)),
    caps: narrowest,
  }
}

/**
 * The decision of all policies on a call: constraints accumulate and any denial wins; of the routes the first that
 * does not continue; then its plan is cut down to what the constraints leave, and an empty rest denies. Where no route
 * chose, the plan is what the caller asked for. Pure.
 */
export function combine(said: Said, facts: Facts, path: LayerPath): Combined {
  const narrowed = narrow(said.constraints)
  const choice = choose(said, facts, path)
  const broke = 'routeFailure' in choice ? { routeFailure: choice.routeFailure } : {}
  if (narrowed.denials.length > 0 || narrowed.failures.length > 0) {
    const failure = narrowed.denials.length === 0 ? narrowed.failures[0] : undefined
    return { decision: denied(narrowed, reasonsToDeny(narrowed)), ...broke, ...refusedBy(failure) }
  }
  if ('deny' in choice) return { decision: denied(narrowed, [choice.deny]) }
  if ('plan' in choice) return { decision: clamp(choice, narrowed, path.columnsIn(facts)), ...broke }
  const { routeFailure } = choice
  const decision = denied(narrowed, [reasonOfFailure(routeFailure)])
  return { decision, routeFailure, ...refusedBy(routeFailure) }
}

/** The denial of a call whose policies together say what no decision can hold. */
export function refuseAll(message: string): Combined {
  const code = failureCodes.invalid
  const reason: Reason = { code, ...nobody, http: errorTable[code].status, audience: 'operator', message }
  return { decision: denied(narrow([]), [reason]), failure: { code, policy: '', message } }
}
