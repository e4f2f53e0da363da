import type { Arm, ArmFigures, Comparison, GuardState } from '@signalbox/sdk/contract'
import type { Queryable } from '../db/connect.ts'
import type { CandidateRow } from '../db/schema.ts'
import type { DeploymentRow } from '../stores/deployments.ts'
import { findEnvironment } from '../stores/environments.ts'
import { loadRolloutTallies, type RolloutTallyRow } from '../stores/rollout-tallies.ts'
import { type ArmSums, judgeArms } from './judge-arms.ts'
import { quantileOf } from './latency-buckets.ts'

const nothing: ArmSums = {
  ...{ calls: 0, policyErrors: 0, upstreamErrors: 0, denies: 0, guardrails: 0 },
  ...{ pricedCalls: 0, costNanoUsd: 0n, costSquares: 0, latency: {} },
}

function figuresOf(sums: ArmSums): ArmFigures {
  const { calls, policyErrors, upstreamErrors, denies, guardrails, pricedCalls, costNanoUsd, latency } = sums
  return {
    ...{ calls, policyErrors, upstreamErrors, denies, guardrails, pricedCalls },
    costNanoUsd: { total: String(costNanoUsd) },
    latencyMs: { p50: quantileOf(latency, 0.5), p95: quantileOf(latency, 0.95) },
  }
}

/** Why a ramp does not go on, or that it does. */
function verdictOf(
  candidate: CandidateRow,
  guards: readonly GuardState[],
  seen: { readonly calls: number; readonly frozen: string | null },
): Pick<Comparison, 'verdict' | 'reason'> {
  const breached = guards.filter(({ state }) => state === 'breached')
  const first = breached.find(({ action }) => action === 'rollback')
  if (first !== undefined) return { verdict: 'breached', reason: `${first.metric}: ${first.kind}` }
  const [held] = breached
  if (held !== undefined) return { verdict: 'held', reason: `${held.metric} differs: somebody has to look` }
  if (seen.frozen !== null) return { verdict: 'held', reason: `frozen: ${seen.frozen}` }
  const [step, next] = candidate.ramp
  // At the last share of its plan it stays, until somebody says more.
  if (step === undefined || next === undefined) return { verdict: 'steady', reason: null }
  if (seen.calls < step.minCalls) {
    return { verdict: 'waiting', reason: `${seen.calls} of ${step.minCalls} calls of the candidate` }
  }
  const untold = guards.find(({ state }) => state === 'waiting')
  if (untold !== undefined) {
    const { callsMin } = candidate.guards
    return { verdict: 'waiting', reason: `fewer than ${callsMin} calls of each arm: the guards cannot tell` }
  }
  return { verdict: 'ramping', reason: null }
}

/** A candidate beside stable since its present share began; null where there is no candidate. */
export async function compareArms(
  q: Queryable,
  row: Pick<DeploymentRow, 'id' | 'organisationId' | 'environment' | 'candidate' | 'createdMs'>,
): Promise<(Comparison & { readonly examples: RolloutTallyRow['examples'] }) | null> {
  const { candidate } = row
  if (candidate === null) return null
  const tallies = await loadRolloutTallies(q, row.id)
  const sumsOf = (arm: Arm): ArmSums => tallies.find((each) => each.arm === arm) ?? nothing
  const arms = { stable: sumsOf('stable'), candidate: sumsOf('candidate') }
  const guards = judgeArms(arms, candidate.guards, candidate.step)
  const place = await findEnvironment(q, row.organisationId, row.environment)
  const frozen = place?.freeze?.deployments === false ? null : (place?.freezeReason ?? null)
  const [step, next] = candidate.ramp
  return {
    sinceMs: candidate.sinceMs,
    stable: figuresOf(arms.stable),
    candidate: figuresOf(arms.candidate),
    guards,
    ...verdictOf(candidate, guards, { calls: arms.candidate.calls, frozen }),
    nextStepMs: step === undefined || next === undefined ? null : candidate.sinceMs + step.minMs,
    examples: tallies.find((each) => each.arm === 'candidate')?.examples ?? {},
  }
}

/** The same as the API shows it. */
export async function comparisonOf(
  q: Queryable,
  row: Parameters<typeof compareArms>[1],
): Promise<Comparison | null> {
  const compared = await compareArms(q, row)
  if (compared === null) return null
  const { examples: _, ...comparison } = compared
  return comparison
}
