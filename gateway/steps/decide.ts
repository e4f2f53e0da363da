import type { Evaluation, ModelColumns } from '@signalbox/policies'
import { type Decision, type Facts, type PlanNode, Refusal } from '@signalbox/sdk/contract'
import type { Snapshot } from '../snapshot.ts'

/** An allowed call: its decision has a plan. */
export interface Allowed {
  readonly decision: Decision
  readonly plan: PlanNode
}

/** Asks the policies, in the sandbox. Never throws for what a policy does; `allowed` looks at what they said. */
export function decide(
  facts: Facts,
  columns: readonly ModelColumns[],
  layers: readonly number[] | undefined,
  snapshot: Snapshot,
): Evaluation {
  const input = { facts, params: snapshot.params, models: columns }
  return snapshot.program.evaluate(layers === undefined ? input : { ...input, layers })
}

/** The code of our own table behind a policy's; the caller reads the policy's. */
function codeOf(policyCode: string): 'no_eligible_model' | 'policy_denied' {
  return policyCode === 'NO_ELIGIBLE_MODEL' ? 'no_eligible_model' : 'policy_denied'
}

/**
 * The refusal that a decision means; undefined for an allowed call. What a rule denied has the rule's own code and
 * status, as far as it is meant for the caller. What failed on our side has a code of ours.
 */
export function refusalOf(evaluation: Evaluation): Refusal | undefined {
  const { decision, failure } = evaluation
  if (failure !== undefined) {
    return new Refusal(failure.code, { detail: `policy ${failure.policy}: ${failure.message}` })
  }
  if (decision.effect === 'allow') return undefined
  const told = decision.reasons.find((reason) => reason.audience === 'caller')
  const reason = told ?? decision.reasons[0]
  const detail = decision.reasons.map((each) => `${each.policy}/${each.rule} ${each.code}`).join(', ')
  return new Refusal(told === undefined ? 'policy_denied' : codeOf(told.code), {
    detail,
    ...(reason?.http !== undefined && { status: reason.http }),
    ...(told !== undefined && { policyCode: told.code }),
    ...(told?.message !== undefined && { message: told.message }),
  })
}

/**
 * The plan of an allowed call.
 * @throws Refusal for a denied one, and `policy_invalid_decision` for one without a plan.
 */
export function allowed(evaluation: Evaluation): Allowed {
  const refusal = refusalOf(evaluation)
  if (refusal !== undefined) throw refusal
  const { decision } = evaluation
  if (decision.plan === undefined) {
    throw new Refusal('policy_invalid_decision', { detail: 'the decision allows without a plan' })
  }
  return { decision, plan: decision.plan }
}

/**
 * The same for what no guardrail can look at.
 * @throws Refusal `policy_invalid_decision` where one must block and cannot: unguarded is not what was decided.
 */
export function allowedUnguarded(evaluation: Evaluation): Allowed {
  const permitted = allowed(evaluation)
  const { input, output } = permitted.decision.guardrails
  const binding = [...input, ...output].find((each) => each.mode === 'enforce' && each.onError === 'block')
  if (binding !== undefined) {
    throw new Refusal('policy_invalid_decision', {
      message: `The guardrail "${binding.id}" is required and cannot run here.`,
      detail: `guardrail ${binding.id} is required`,
    })
  }
  return permitted
}
