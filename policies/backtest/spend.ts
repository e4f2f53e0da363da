import type { CallRecord, Facts } from '@signalbox/sdk/contract'
import { costOf } from '../catalogue/usage-cost.ts'
import { type Lengths, usableLengths } from './answer-lengths.ts'
import type { World } from './world.ts'

/** Cost of answers that nobody has counted: what is certain, and what each token of answer adds. Plain data. */
export interface OpenCost {
  fixedNanoUsd: bigint
  /** What the longest answers that were asked for would add. */
  longestNanoUsd: bigint
  /** Sums of what a token of answer costs in nano-dollars, and of its squares. */
  tokenNanoUsd: number
  tokenSquares: number
}
/** Sums of costs in nano-dollars: what is known, and what is open by the target that would have answered. */
export interface CostSums {
  knownNanoUsd: bigint
  open: Map<string, OpenCost>
  /** Calls without a price. */
  unpriced: number
}
export interface Spend extends CostSums {
  calls: number
  /** Calls whose cost is an estimate: they went to another target then. */
  estimated: number
}
/** What one call costs. `unpriced`: nobody knows the price. */
export type CallCost =
  | 'unpriced'
  | {
      readonly isEstimate: boolean
      readonly knownNanoUsd: bigint
      readonly open?: OpenCost & { readonly target: string }
    }
export interface Band {
  readonly lowNanoUsd: bigint
  readonly highNanoUsd: bigint
}

/** Of a normal distribution, so many standard deviations to either side hold nine tenths. */
const ninetyPercent = 1.645
const free: Exclude<CallCost, 'unpriced'> = { isEstimate: false, knownNanoUsd: 0n }

export const emptyCosts = (): CostSums => ({ knownNanoUsd: 0n, open: new Map(), unpriced: 0 })
export const emptySpend = (): Spend => ({ calls: 0, estimated: 0, ...emptyCosts() })

export const isAnswered = ({ row }: Pick<CallRecord, 'row'>): boolean => row.attempts > 0 && row.status < 400

/** Whether usage tells how long the answer was. */
export function isUsageKnown({ row }: Pick<CallRecord, 'row'>): boolean {
  return row.evidence !== 'none' && (row.usage.output !== undefined || row.usage.input !== undefined)
}

/**
 * What a call costs where its first target is `target`: what it did cost where it went there, else an estimate from
 * the tokens that were counted; where none were, what is certain and what a token of answer adds. Undefined where it is
 * denied, or no target can be used: it costs nothing.
 */
export function callCost({
  record,
  facts,
  target,
  world,
}: {
  record: CallRecord
  facts: Facts
  target: string | undefined
  world: World
}): CallCost | undefined {
  if (target === undefined) return undefined
  const { row, body } = record
  if (target === body.selection?.order[0]) {
    // A call that failed everywhere is not paid for by either version.
    if (row.costNanoUsd === undefined) return isAnswered(record) ? 'unpriced' : free
    return { isEstimate: false, knownNanoUsd: BigInt(row.costNanoUsd) }
  }
  const prices = world.prices(target)
  if (isUsageKnown(record)) {
    const cost = costOf(row.usage, prices)
    return cost === undefined ? 'unpriced' : { isEstimate: true, knownNanoUsd: cost }
  }
  const { inputTokens, outputTokens } = facts.request.estimate
  const fixed = costOf({ input: inputTokens }, prices)
  const whole = costOf({ input: inputTokens, output: outputTokens }, prices)
  if (fixed === undefined || whole === undefined) return 'unpriced'
  const each = outputTokens === 0 ? 0 : Number(whole - fixed) / outputTokens
  const open = { target, fixedNanoUsd: fixed, longestNanoUsd: whole - fixed }
  return {
    isEstimate: true,
    knownNanoUsd: 0n,
    open: { ...open, tokenNanoUsd: each, tokenSquares: each * each },
  }
}

function openOf(sums: CostSums, target: string): OpenCost {
  let open = sums.open.get(target)
  if (open === undefined) {
    open = { fixedNanoUsd: 0n, longestNanoUsd: 0n, tokenNanoUsd: 0, tokenSquares: 0 }
    sums.open.set(target, open)
  }
  return open
}

function addOpen(into: OpenCost, other: OpenCost): void {
  into.fixedNanoUsd += other.fixedNanoUsd
  into.longestNanoUsd += other.longestNanoUsd
  into.tokenNanoUsd += other.tokenNanoUsd
  into.tokenSquares += other.tokenSquares
}

/** Adds what one call costs. */
export function addSpend(spend: Spend, cost: CallCost | undefined): void {
  if (cost === undefined) return
  spend.calls++
  if (cost === 'unpriced') {
    spend.unpriced++
    return
  }
  if (cost.isEstimate) spend.estimated++
  spend.knownNanoUsd += cost.knownNanoUsd
  if (cost.open !== undefined) addOpen(openOf(spend, cost.open.target), cost.open)
}

const nothingOpen: OpenCost = { fixedNanoUsd: 0n, longestNanoUsd: 0n, tokenNanoUsd: 0, tokenSquares: 0 }

/**
 * Adds by how much one call costs more after than before. Whatever the length of an answer that nobody counted: it is
 * the same on both sides, so that a call which stays where it was changes nothing.
 */
export function addChange(change: CostSums, before: CallCost | undefined, after: CallCost | undefined): void {
  if (before === 'unpriced' || after === 'unpriced') {
    if (before !== after) change.unpriced++
    return
  }
  const [from, to] = [before ?? free, after ?? free]
  change.knownNanoUsd += to.knownNanoUsd - from.knownNanoUsd
  const [was, is] = [from.open ?? nothingOpen, to.open ?? nothingOpen]
  const target = to.open?.target ?? from.open?.target
  if (target === undefined) return
  const tokenNanoUsd = is.tokenNanoUsd - was.tokenNanoUsd
  addOpen(openOf(change, target), {
    fixedNanoUsd: is.fixedNanoUsd - was.fixedNanoUsd,
    longestNanoUsd: is.longestNanoUsd - was.longestNanoUsd,
    ...{ tokenNanoUsd, tokenSquares: tokenNanoUsd * tokenNanoUsd },
  })
}

/** Adds what another thread found. */
export function addCosts(into: CostSums, other: CostSums): void {
  into.knownNanoUsd += other.knownNanoUsd
  into.unpriced += other.unpriced
  for (const [target, open] of other.open) addOpen(openOf(into, target), open)
}

/** From the shortest to the longest answers; either end may be below nothing, where less is spent. */
function widest({ fixedNanoUsd, longestNanoUsd }: OpenCost): Band {
  const end = fixedNanoUsd + longestNanoUsd
  return longestNanoUsd < 0n
    ? { lowNanoUsd: end, highNanoUsd: fixedNanoUsd }
    : { lowNanoUsd: fixedNanoUsd, highNanoUsd: end }
}

/** Nine tenths of what answers as long as the counted ones would come to, within the widest band. */
function likely(open: OpenCost, { count, sum, squares }: Lengths): Band {
  const outer = widest(open)
  const mean = sum / count
  const variance = Math.max(0, squares / count - mean * mean)
  const spread =
    ninetyPercent * Math.sqrt(variance * open.tokenSquares + (variance / count) * open.tokenNanoUsd ** 2)
  const middle = mean * open.tokenNanoUsd
  const at = (nanoUsd: number): bigint => {
    const found = open.fixedNanoUsd + BigInt(Math.round(nanoUsd))
    if (found < outer.lowNanoUsd) return outer.lowNanoUsd
    return found > outer.highNanoUsd ? outer.highNanoUsd : found
  }
  return { lowNanoUsd: at(middle - spread), highNanoUsd: at(middle + spread) }
}

/** What sums come to, from low to high, where answers that nobody counted are as long as the counted ones. */
export function bandOf({ knownNanoUsd, open }: CostSums, lengths: ReadonlyMap<string, Lengths>): Band {
  let [low, high] = [knownNanoUsd, knownNanoUsd]
  for (const [target, each] of open) {
    const known = usableLengths(lengths, target)
    const band = known === undefined ? widest(each) : likely(each, known)
    low += band.lowNanoUsd
    high += band.highNanoUsd
  }
  return { lowNanoUsd: low, highNanoUsd: high }
}

/** A change in millionths of what was spent before; null where nothing was, and something would be. */
export function changePpmOf(
  change: Band,
  before: Band,
): { readonly lowPpm: number | null; readonly highPpm: number | null } {
  const middle = (before.lowNanoUsd + before.highNanoUsd) / 2n
  const ppm = (nanoUsd: bigint): number | null =>
    nanoUsd === 0n ? 0 : middle === 0n ? null : Number((nanoUsd * 1_000_000n) / middle)
  return { lowPpm: ppm(change.lowNanoUsd), highPpm: ppm(change.highNanoUsd) }
}
