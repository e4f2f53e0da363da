import type { Arm, CallRecord, GuardMetric, ShadowResult } from '@signalbox/sdk/contract'
import { validate as isUuid } from 'uuid'
import type { Transaction } from '../db/connect.ts'
import { addToTally, knownDeployments, type RolloutTallyRow } from '../stores/rollout-tallies.ts'
import { addToShadowTally, type ShadowTallyRow, shadowExamplesMax } from '../stores/shadow-tallies.ts'
import { bucketOf } from './latency-buckets.ts'

/** Whose records they are, by the gateway's token. */
export interface TallyPlace {
  readonly organisationId: string
  readonly environment: string
  readonly nowMs: number
}
const examplesMax = 10
const unanswered: ReadonlySet<string> = new Set(['error', 'timeout', 'reset', 'unavailable', 'invalid'])
/** The gateway's own state, whoever decided. */
const notOurs: ReadonlySet<string> = new Set(['not_ready', 'draining'])
const blocked: ReadonlySet<string> = new Set(['guardrail_blocked', 'guardrail_failed'])

/** Against which guards a call counts. */
export function faultsOf({ row, body }: CallRecord): GuardMetric[] {
  // A route that breaks may still end at its safe route.
  if (row.effect === 'error' || body.policies.some(({ error }) => error !== undefined))
    return ['policyErrors']
  if (row.effect === 'deny') return ['denies']
  const { errorCode = '', status, truncated } = row
  const stopped = ({ verdict, level, action }: CallRecord['body']['verdicts'][number]): boolean =>
    verdict === 'fail' && level === 'enforce' && (action === 'block' || action === 'refuse')
  if (blocked.has(errorCode) || body.verdicts.some(stopped)) return ['guardrails']
  const last = body.attempts.findLast(({ guardrail }) => guardrail === undefined)
  const failed =
    (last !== undefined && unanswered.has(last.outcome)) || (status >= 500 && !notOurs.has(errorCode))
  return failed || truncated ? ['upstreamErrors'] : []
}

/** Milliseconds to the first token of a stream, or to the whole answer; undefined where the caller got none. */
function latencyOf({ row }: CallRecord): number | undefined {
  if (row.effect !== 'allow' || row.status >= 400 || row.cache === 'hit') return undefined
  return row.stream ? row.firstTokenMs : row.durationMs
}

function emptyTally(place: TallyPlace, deploymentId: string, arm: Arm): RolloutTallyRow {
  return {
    organisationId: place.organisationId,
    ...{ deploymentId, arm, calls: 0, policyErrors: 0, upstreamErrors: 0, denies: 0, guardrails: 0 },
    ...{ pricedCalls: 0, costNanoUsd: 0n, costSquares: 0, latency: {}, examples: {} },
    updatedMs: place.nowMs,
  }
}

function addRecord(tally: RolloutTallyRow, record: CallRecord): void {
  const { row } = record
  tally.calls++
  for (const metric of faultsOf(record)) {
    if (metric === 'latency' || metric === 'cost') continue
    tally[metric]++
    const examples = tally.examples[metric] ?? []
    if (examples.length < examplesMax) tally.examples[metric] = [...examples, row.id]
  }
  if (row.effect === 'allow' && row.costNanoUsd !== undefined) {
    const cost = BigInt(row.costNanoUsd)
    tally.pricedCalls++
    tally.costNanoUsd += cost
    tally.costSquares += Number(cost) ** 2
  }
  const latencyMs = latencyOf(record)
  if (latencyMs === undefined) return
  const bucket = String(bucketOf(latencyMs))
  tally.latency[bucket] = (tally.latency[bucket] ?? 0) + 1
}

function merged(before: RolloutTallyRow, added: RolloutTallyRow): RolloutTallyRow {
  const latency = { ...before.latency }
  for (const [bucket, calls] of Object.entries(added.latency))
    latency[bucket] = (latency[bucket] ?? 0) + calls
  const examples = { ...before.examples }
  for (const [name, ids] of Object.entries(added.examples)) {
    const metric = name as GuardMetric
    examples[metric] = [...(examples[metric] ?? []), ...ids].slice(0, examplesMax)
  }
  return {
    ...added,
    calls: before.calls + added.calls,
    policyErrors: before.policyErrors + added.policyErrors,
    upstreamErrors: before.upstreamErrors + added.upstreamErrors,
    denies: before.denies + added.denies,
    guardrails: before.guardrails + added.guardrails,
    pricedCalls: before.pricedCalls + added.pricedCalls,
    costNanoUsd: before.costNanoUsd + added.costNanoUsd,
    costSquares: before.costSquares + added.costSquares,
    latency,
    examples,
  }
}

/** `policy/rule` that had the last word; `-` where none had. */
const decidedBy = (policy: string | undefined, rule: string | undefined): string =>
  policy === undefined ? '-' : `${policy}/${rule ?? '-'}`

function shadowRow(place: TallyPlace, { row }: CallRecord, shadow: ShadowResult): ShadowTallyRow {
  return {
    organisationId: place.organisationId,
    deploymentId: shadow.deployment,
    versionDigest: shadow.version,
    fromRule: decidedBy(row.policy, row.rule),
    toRule: decidedBy(shadow.policy, shadow.rule),
    effect: `${row.effect}→${shadow.effect}`,
    same: shadow.same ? 'true' : 'false',
    calls: 1,
    examples: [row.id],
  }
}

function addShadow(shadows: Map<string, ShadowTallyRow>, added: ShadowTallyRow): void {
  const { deploymentId, versionDigest, fromRule, toRule, effect, same } = added
  const key = JSON.stringify([deploymentId, versionDigest, fromRule, toRule, effect, same])
  const known = shadows.get(key)
  if (known === undefined) {
    shadows.set(key, added)
    return
  }
  known.calls++
  if (known.examples.length < shadowExamplesMax) known.examples.push(...added.examples)
}

const byKey = <Value>(map: ReadonlyMap<string, Value>): [string, Value][] =>
  [...map].sort(([one], [other]) => (one < other ? -1 : 1))

/**
 * Adds new records to the sums of the rollouts and shadows that they were part of, in the transaction that stores
 * them: a record counts once, and is counted when it is there. In the order of their keys, so that two segments
 * cannot wait for each other.
 */
export async function tallyRecords(
  tx: Transaction,
  place: TallyPlace,
  records: readonly CallRecord[],
): Promise<void> {
  const parts = records.flatMap((record) => record.body.rollouts ?? [])
  const looks = records.flatMap((record) => record.body.shadows ?? [])
  const named = [...new Set([...parts, ...looks].map((each) => each.deployment))].filter((id) => isUuid(id))
  const known = await knownDeployments(tx, place, named)
  if (known.size === 0) return
  const tallies = new Map<string, RolloutTallyRow>()
  const shadows = new Map<string, ShadowTallyRow>()
  for (const record of records) {
    for (const { deployment, arm } of record.body.rollouts ?? []) {
      if (!known.has(deployment)) continue
      const key = `${deployment} ${arm}`
      const tally = tallies.get(key) ?? emptyTally(place, deployment, arm)
      tallies.set(key, tally)
      addRecord(tally, record)
    }
    for (const shadow of record.body.shadows ?? []) {
      if (known.has(shadow.deployment)) addShadow(shadows, shadowRow(place, record, shadow))
    }
  }
  for (const [, added] of byKey(tallies)) {
    const empty = emptyTally(place, added.deploymentId, added.arm)
    await addToTally(tx, empty, (before) => merged(before, added))
  }
  for (const [, added] of byKey(shadows)) await addToShadowTally(tx, added)
}
