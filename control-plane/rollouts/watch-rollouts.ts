import type { Comparison, Evidence, GuardState, Trip } from '@signalbox/sdk/contract'
import { validate as isUuid } from 'uuid'
import { describeFailure } from '../db/errors.ts'
import type { CandidateRow } from '../db/schema.ts'
import { currentOf, type DeployTools, deployChoice } from '../deploy.ts'
import { repeatedly } from '../repeatedly.ts'
import { listDeployments, listRollouts, type NumberedDeployment } from '../stores/deployments.ts'
import { compareArms } from './compare-arms.ts'
import { alarmPpmOf } from './judge-arms.ts'
import { nextStep } from './next-deployment.ts'

/** How often candidates are looked at. Records are there a second after their calls. */
export const watchIntervalMs = 1000
const systemActor = 'system'
const recordsMax = 16

type Compared = NonNullable<Awaited<ReturnType<typeof compareArms>>>

const units = { latency: 'ms', cost: 'nano-dollars per call' } as const

function wordsOf({ metric, kind, stable, candidate }: GuardState): string {
  const unit = metric === 'latency' || metric === 'cost' ? units[metric] : 'ppm of calls'
  return `${metric} of the candidate ${candidate} ${unit}, of stable ${stable}: ${kind}`
}

/** What is kept of a breach that the sums show. */
function evidenceOf(
  row: NumberedDeployment,
  candidate: CandidateRow,
  {
    compared,
    guard,
    nowMs,
  }: { readonly compared: Compared; readonly guard: GuardState; readonly nowMs: number },
): Evidence {
  return {
    metric: guard.metric,
    kind: guard.kind ?? 'sequential',
    by: 'control-plane',
    gateway: null,
    message: `v${row.candidateNumber} was taken back: ${wordsOf(guard)}.`,
    atMs: nowMs,
    guard,
    stable: compared.stable,
    candidate: compared.candidate,
    window: null,
    guards: candidate.guards,
    falseAlarmPpm: Math.ceil(alarmPpmOf(candidate.guards, candidate.step)),
    records: (compared.examples[guard.metric] ?? []).slice(0, recordsMax),
  }
}

/**
 * Takes a candidate back, where it is still the one that was judged. Neither a freeze nor approvals stand in the way:
 * less of the untried runs after it.
 * @returns Whether it was taken back here.
 */
async function takeBack(
  tools: DeployTools,
  { organisationId, environment, workspace, id }: NumberedDeployment,
  { evidence, rollout }: { readonly evidence: Evidence; readonly rollout: string },
): Promise<boolean> {
  const context = { organisationId, environment, actor: systemActor, action: 'guardRollback' }
  let done = false
  await deployChoice(tools, context, async (tx) => {
    const current = await currentOf(tx, context, workspace)
    if (current === undefined) throw new Error(`nothing is deployed to ${environment} any more`)
    if (current.candidate?.rollout !== rollout) return current
    done = true
    const { stableDigest, shadows } = current
    const kept = { stableDigest, candidate: null, shadows, workspace }
    return { ...kept, cause: 'guard', rollbackOf: id, reason: evidence.message, evidence }
  })
  if (done) tools.log.error({ environment, workspace, evidence }, 'a candidate was taken back')
  return done
}

/** Gives a candidate its next share, or makes it stable after the last. */
async function advance(tools: DeployTools, row: NumberedDeployment, candidate: CandidateRow): Promise<void> {
  const { organisationId, environment, workspace } = row
  const context = { organisationId, environment, actor: systemActor, action: 'advanceRollout' }
  await deployChoice(tools, context, async (tx) => {
    const current = await currentOf(tx, context, workspace)
    // Somebody else was faster.
    if (current === undefined || current.id !== row.id) return current ?? row
    const next = nextStep(candidate, tools.nowMs())
    const shadows = current.shadows
    const stableDigest = next === null ? candidate.digest : current.stableDigest
    return { stableDigest, candidate: next, shadows, workspace, cause: 'ramp' }
  })
}

function isDue({ verdict, nextStepMs }: Comparison, nowMs: number): boolean {
  return verdict === 'ramping' && nextStepMs !== null && nowMs >= nextStepMs
}

/** Judges one candidate: takes it back, gives it its next share, or leaves it. */
export async function watchRollout(tools: DeployTools, row: NumberedDeployment): Promise<void> {
  const { candidate } = row
  const compared = await compareArms(tools.db, row)
  if (candidate === null || compared === null) return
  const nowMs = tools.nowMs()
  const guard = compared.guards.find(({ state, action }) => state === 'breached' && action === 'rollback')
  if (guard !== undefined) {
    const evidence = evidenceOf(row, candidate, { compared, guard, nowMs })
    await takeBack(tools, row, { evidence, rollout: candidate.rollout })
  } else if (isDue(compared, nowMs)) await advance(tools, row, candidate)
}

/** Looks at every candidate; one that cannot be judged holds up no other. */
export async function watchRollouts(tools: DeployTools): Promise<void> {
  for (const row of await listRollouts(tools.db)) {
    try {
      await watchRollout(tools, row)
    } catch (error) {
      const { environment, workspace } = row
      tools.log.error({ err: describeFailure(error), environment, workspace }, 'a candidate was not judged')
    }
  }
}

/** Does so all the time; gives how to stop. */
export function startWatchingRollouts(tools: DeployTools): () => Promise<void> {
  const what = 'the candidates could not be looked at'
  return repeatedly(() => watchRollouts(tools), { everyMs: watchIntervalMs, log: tools.log, what })
}

/**
 * A gateway's own tripwire has ended a candidate: it is taken back everywhere. Said again, or of a rollout that is
 * over, it changes nothing.
 */
export async function takeTrip(
  tools: DeployTools,
  from: { readonly organisationId: string; readonly environment: string; readonly gateway: string },
  trip: Trip,
): Promise<boolean> {
  const [told] = isUuid(trip.deployment)
    ? await listDeployments(tools.db, from.organisationId, { id: trip.deployment, limit: 1 })
    : []
  const running = await listRollouts(tools.db, from)
  const row = running.find(({ candidate }) => candidate?.rollout === told?.candidate?.rollout)
  const candidate = row?.candidate
  if (row === undefined || candidate == null || candidate.digest !== trip.candidate) return false
  const compared = await compareArms(tools.db, row)
  const { calls, failed, windowMs } = trip
  const evidence: Evidence = {
    metric: 'policyErrors',
    kind: 'tripwire',
    by: 'gateway',
    gateway: from.gateway,
    message:
      `v${row.candidateNumber} was taken back: its policies failed in ${failed} of ${calls} calls of ${from.gateway}. ${trip.message}`.slice(
        0,
        1024,
      ),
    atMs: trip.atMs,
    guard: compared?.guards.find(({ metric }) => metric === 'policyErrors') ?? null,
    stable: compared?.stable ?? null,
    candidate: compared?.candidate ?? null,
    window: { calls, failed, windowMs },
    guards: candidate.guards,
    falseAlarmPpm: 0,
    records: trip.records,
  }
  return await takeBack(tools, row, { evidence, rollout: candidate.rollout })
}
