import {
  type GuardMetric,
  type GuardRule,
  type GuardState,
  type Guards,
  guardMetrics,
} from '@signalbox/sdk/contract'
import { meanRange, type Range, rankRange, shareRange } from './confidence.ts'
import { bucketAt, countOf, edgesOf, type LatencyCounts, quantileOf } from './latency-buckets.ts'

/** Sums over the calls of an arm at one share. */
export interface ArmSums {
  readonly calls: number
  readonly policyErrors: number
  readonly upstreamErrors: number
  readonly denies: number
  readonly guardrails: number
  readonly pricedCalls: number
  readonly costNanoUsd: bigint
  readonly costSquares: number
  readonly latency: LatencyCounts
}
type RateMetric = 'policyErrors' | 'upstreamErrors' | 'denies' | 'guardrails'

const million = 1_000_000
const latencyShare = 0.95
/** A candidate that denies less, or blocks less, is as suspicious as one that does it more. */
const twoSided: ReadonlySet<GuardMetric> = new Set(['denies', 'guardrails'])

/** What is measured of an arm: the figure itself, and where it lies beyond doubt. */
interface Measure {
  readonly value: number | null
  readonly range: Range
}

function rateOf(arm: ArmSums, metric: RateMetric, alpha: number): Measure {
  const [low, high] = shareRange(arm[metric], arm.calls, alpha)
  return {
    value: arm.calls === 0 ? null : (arm[metric] / arm.calls) * million,
    range: [low * million, high * million],
  }
}

function latencyOf({ latency }: ArmSums, alpha: number): Measure {
  const calls = countOf(latency)
  const [low, high] = rankRange(latencyShare, calls, alpha)
  const lowest = bucketAt(latency, low)
  const highest = bucketAt(latency, high)
  return {
    value: quantileOf(latency, latencyShare),
    // Rounded so that the range is rather too wide.
    range: [
      lowest === undefined ? 0 : edgesOf(lowest).fromMs,
      highest === undefined ? Number.POSITIVE_INFINITY : edgesOf(highest).toMs,
    ],
  }
}

function costOf(arm: ArmSums, alpha: number, callsMin: number): Measure {
  const { pricedCalls: calls, costSquares: squares } = arm
  const sum = Number(arm.costNanoUsd)
  const range = meanRange({ calls, sum, squares }, alpha, callsMin)
  return { value: calls === 0 ? null : sum / calls, range }
}

function measure(arm: ArmSums, metric: GuardMetric, alpha: number, guards: Guards): Measure {
  if (metric === 'latency') return latencyOf(arm, alpha)
  if (metric === 'cost') return costOf(arm, alpha, guards.callsMin)
  return rateOf(arm, metric, alpha)
}

/** The rule of a metric; a policy that fails is asked for few calls only. */
function ruleOf(guards: Guards, metric: GuardMetric): GuardRule | null {
  if (metric !== 'policyErrors') return guards[metric]
  const tripwire = guards.policyErrors
  return tripwire && { marginPpm: tripwire.ppm, tripPpm: tripwire.ppm, action: 'rollback' }
}

/**
 * The false alarm rate of one test: all guards and all shares of a rollout together stay below that of the guards.
 * The k-th share gets 1/(k(k+1)) of it, and these add up to 1.
 */
export function alarmPpmOf(guards: Guards, step: number): number {
  const watched = guardMetrics.filter((metric) => ruleOf(guards, metric) !== null).length
  return guards.falseAlarmPpm / Math.max(1, watched) / (step * (step + 1))
}

/** What must be passed: in ppm of calls for rates, as a share of the base for latency and cost. */
function isBeyond(metric: GuardMetric, value: number, base: number, ppm: number): boolean {
  if (metric === 'latency' || metric === 'cost') return value > base * (1 + ppm / million)
  return value > base + ppm
}

function breachOf(
  metric: GuardMetric,
  { stable, candidate }: { readonly stable: Measure; readonly candidate: Measure },
  rule: GuardRule,
  enough: { readonly trip: boolean; readonly margin: boolean },
): 'tripwire' | 'sequential' | null {
  if (!enough.trip || stable.value === null || candidate.value === null) return null
  const sides: (readonly [Measure, Measure])[] = [[candidate, stable]]
  if (twoSided.has(metric)) sides.push([stable, candidate])
  for (const [worse, better] of sides) {
    const surely = worse.range[0] > better.range[1]
    if (enough.margin && isBeyond(metric, worse.range[0], better.range[1], rule.marginPpm))
      return 'sequential'
    if (surely && isBeyond(metric, worse.value ?? 0, better.value ?? 0, rule.tripPpm)) return 'tripwire'
  }
  return null
}

const rounded = (value: number): number => Math.round(value * 1000) / 1000
/** A range that JSON can say: what has no end yet is as far as the figure of nothing. */
function shown([low, high]: Range): number[] | null {
  return Number.isFinite(low) && Number.isFinite(high) ? [rounded(low), rounded(high)] : null
}

/** How the guards of a rollout stand after so many calls at its `step`-th share. */
export function judgeArms(
  arms: { readonly stable: ArmSums; readonly candidate: ArmSums },
  guards: Guards,
  step: number,
): GuardState[] {
  // Each arm may be misjudged with half of it.
  const alpha = alarmPpmOf(guards, step) / million / 2
  const least = Math.min(arms.stable.calls, arms.candidate.calls)
  return guardMetrics.flatMap((metric): GuardState[] => {
    const rule = ruleOf(guards, metric)
    if (rule === null) return []
    const stable = measure(arms.stable, metric, alpha, guards)
    const candidate = measure(arms.candidate, metric, alpha, guards)
    const tripMin = metric === 'policyErrors' ? (guards.policyErrors?.calls ?? 1) : guards.tripCallsMin
    const enough = { trip: least >= tripMin, margin: least >= guards.callsMin }
    const kind = breachOf(metric, { stable, candidate }, rule, enough)
    return [
      {
        metric,
        state: kind !== null ? 'breached' : enough.margin ? 'ok' : 'waiting',
        action: rule.action,
        kind,
        stable: stable.value === null ? null : rounded(stable.value),
        candidate: candidate.value === null ? null : rounded(candidate.value),
        stableRange: shown(stable.range),
        candidateRange: shown(candidate.range),
      },
    ]
  })
}
