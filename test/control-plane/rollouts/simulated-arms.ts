import type { ArmSums } from '../../../control-plane/rollouts/judge-arms.ts'
import { bucketOf } from '../../../control-plane/rollouts/latency-buckets.ts'

/** Draws that are the same in every run (mulberry32). */
export function drawsOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
const normal = (draw: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw())

/** How an arm behaves: shares of calls, and medians of what is spread log-normally. */
export interface Behaviour {
  readonly upstream: number
  readonly deny: number
  readonly latencyMs: number
  readonly costNanoUsd: number
}
/** The stable version. */
export const usual: Behaviour = { upstream: 0.02, deny: 0.05, latencyMs: 400, costNanoUsd: 1_000_000 }

/** Sums that grow. */
export type Counting = { -readonly [Name in keyof ArmSums]: ArmSums[Name] } & {
  latency: Record<string, number>
}
export const noCalls = (): Counting => ({
  ...{ calls: 0, policyErrors: 0, upstreamErrors: 0, denies: 0, guardrails: 0 },
  ...{ pricedCalls: 0, costNanoUsd: 0n, costSquares: 0, latency: {} },
})

/** One more call of an arm. */
export function addCall(arm: Counting, how: Behaviour, draw: () => number): void {
  arm.calls++
  if (draw() < how.deny) {
    arm.denies++
    return
  }
  if (draw() < how.upstream) {
    arm.upstreamErrors++
    return
  }
  const cost = Math.round(how.costNanoUsd * Math.exp(0.8 * normal(draw)))
  arm.pricedCalls++
  arm.costNanoUsd += BigInt(cost)
  arm.costSquares += cost ** 2
  const bucket = String(bucketOf(how.latencyMs * Math.exp(0.6 * normal(draw))))
  arm.latency[bucket] = (arm.latency[bucket] ?? 0) + 1
}
