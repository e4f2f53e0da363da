import type { AttemptHold as AttemptHoldRecord, StateBudget } from '@signalbox/sdk/contract'
import type { UsageCounts } from '../call.ts'
import type { AttemptTrail } from '../trail.ts'
import type { Hold } from './hold.ts'
import { amountAt, type RequestBound, usdAt } from './request-bound.ts'

/** What the admission point asks for before a byte goes out. */
export interface Permit {
  /** Called once, with the dispatch. @throws Error where nothing is held any more: a bug that must not cost money. */
  dispatch(): void
}

/** For what no budget concerns, and what providers do not bill: reading or deleting what they keep. */
export const freePass: Permit = { dispatch() {} }

/**
 * How much an attempt keeps. `full`: all that it can cost. `growing`: its input and a little more output than was
 * seen so far. `clamped`: all that it can cost after its limit was lowered. `expected`: what is likely, for budgets
 * that never refuse.
 */
export type HoldKind = 'full' | 'growing' | 'clamped' | 'expected'

/** Leases that a record names. */
const leasesMax = 64
/** Output beyond what was seen: what may have been made until an abort is heard of, and until a raise is through. */
export const runAheadTokens = 768
/** With less than this beyond what was seen, and nothing more to be had, the answer is cut. */
const flightTokens = 384

export interface AttemptHoldState {
  readonly kind: HoldKind
  /** Undefined where the request has no bound; then only budgets that never refuse concern it. */
  readonly bound: RequestBound | undefined
  readonly holds: readonly Hold[]
  /** Tokens of output that the holds pay for. */
  outputTokens: number
  /** The limit that the request must carry; undefined where it goes as it came. */
  readonly clampTo: number | undefined
  /** Ceiling of the decision for this attempt, in nano-dollars. */
  readonly capLeft: bigint | undefined
  /** All output can be seen, so that what was seen bounds what is billed. */
  readonly isVisible: boolean
  readonly stopsBilling: boolean
  /** Shadow budgets that would have refused. */
  readonly wouldRefuse: readonly StateBudget[]
  /** Of the prices that were reckoned with. */
  readonly priceDigest: string | undefined
}

/** What of an attempt's trail its settlement rests on. */
export type SettledAttempt = Pick<
  AttemptTrail,
  'evidence' | 'usage' | 'costNanoUsd' | 'outcome' | 'seenTokens' | 'reportedOutputTokens'
>

/** What one attempt keeps, of money and of tokens, until it is settled; its permit at the admission point. */
export class AttemptHold implements Permit {
  readonly state: AttemptHoldState
  /** What was settled in nano-dollars; undefined before, and where no money is held. */
  settledNanoUsd: bigint | undefined
  /** What the settlement rests on; `none` before, and where nothing was billed. */
  evidence: AttemptHoldRecord['evidence'] = 'none'
  #isDispatched = false
  #isOver = false

  constructor(state: AttemptHoldState) {
    this.state = state
  }

  dispatch(): void {
    if (this.#isDispatched || this.#isOver) throw new Error('an attempt without a hold of its own')
    this.#isDispatched = true
  }

  /** It went out, and only the end tells what it cost: the provider bills on after an abort, or hides what it makes. */
  get billsOn(): boolean {
    const { kind, holds, isVisible, stopsBilling } = this.state
    return this.#isDispatched && holds.length > 0 && kind !== 'expected' && !(isVisible && stopsBilling)
  }

  /** Nano-dollars that are kept, or were when it was settled. */
  get heldNanoUsd(): bigint {
    const { bound, outputTokens, kind, holds } = this.state
    if (kind !== 'expected') return bound === undefined ? 0n : usdAt(bound, outputTokens)
    return holds.find(({ pool }) => pool.set.unit === 'usd')?.amount ?? 0n
  }

  /** What the attempt may have cost so far, or did: counts against the ceiling of its call. */
  get committedNanoUsd(): bigint {
    return this.settledNanoUsd ?? this.heldNanoUsd
  }

  /**
   * Raises a growing hold for the output that was seen so far, in tokens at most. False where it cannot be raised and
   * no more may come: the answer is to be cut.
   */
  grow(seenTokens: number): boolean {
    const { kind, bound, outputTokens } = this.state
    if (kind !== 'growing' || bound === undefined || seenTokens + flightTokens <= outputTokens) return true
    const wanted = Math.min(seenTokens + runAheadTokens, bound.outputTokens ?? Number.MAX_SAFE_INTEGER)
    if (wanted <= outputTokens) return true
    return this.#raiseTo(wanted, bound)
  }

  #raiseTo(outputTokens: number, bound: RequestBound): boolean {
    const { capLeft, holds } = this.state
    if (capLeft !== undefined && usdAt(bound, outputTokens) > capLeft) return false
    const missing = holds.map((hold) => amountAt(bound, hold.pool.set.unit, outputTokens) - hold.amount)
    const isThere = holds.every((hold, index) => hold.pool.free() >= (missing[index] ?? 0n))
    if (!isThere) {
      for (const { pool } of holds) pool.prefetch()
      return false
    }
    for (const [index, hold] of holds.entries()) hold.raise(missing[index] ?? 0n)
    this.state.outputTokens = outputTokens
    return true
  }

  /** Settles the attempt from its trail, once. What never went out, or is not billed, costs nothing. */
  settle(attempt: SettledAttempt, timeMs: number): bigint {
    if (this.#isOver) return 0n
    this.#isOver = true
    let overrun = 0n
    for (const hold of this.state.holds) {
      const { unit } = hold.pool.set
      if (attempt.evidence === 'none') {
        hold.release()
        if (unit === 'usd') this.settledNanoUsd = 0n
        continue
      }
      const reported = attempt.evidence === 'reported' ? this.#reported(attempt, unit) : undefined
      const estimated = reported === undefined ? this.#estimated(attempt, unit) : undefined
      const actual = reported ?? estimated ?? hold.amount
      const evidence = reported !== undefined ? 'reported' : estimated === undefined ? 'hold' : 'estimated'
      if (unit === 'usd') this.settledNanoUsd = actual
      this.evidence = evidence
      overrun += hold.settle(actual, evidence, timeMs)
    }
    if (this.state.holds.length === 0) this.settledNanoUsd = attempt.costNanoUsd ?? 0n
    return overrun
  }

  /** Ends it where nothing else did: what never went out costs nothing, all else may have cost all that is kept. */
  close(timeMs: number): void {
    if (this.#isOver) return
    this.#isOver = true
    for (const hold of this.state.holds) {
      if (this.#isDispatched) hold.settle(hold.amount, 'hold', timeMs)
      else hold.release()
    }
    this.settledNanoUsd = this.#isDispatched ? this.heldNanoUsd : 0n
    if (this.#isDispatched) this.evidence = 'hold'
  }

  /** As the record has it. */
  record(): AttemptHoldRecord {
    const { kind, holds, clampTo, wouldRefuse, priceDigest } = this.state
    const leases = [...new Set(holds.flatMap(({ parts }) => parts.map(({ lease }) => lease.id)))]
    return {
      kind,
      heldNanoUsd: String(this.heldNanoUsd),
      ...(this.settledNanoUsd !== undefined && { settledNanoUsd: String(this.settledNanoUsd) }),
      evidence: this.evidence,
      ...(clampTo !== undefined && { outputTokensMax: clampTo }),
      leases: leases.slice(0, leasesMax),
      ...(priceDigest !== undefined && { priceDigest }),
      ...(wouldRefuse.length > 0 && { wouldRefuse: wouldRefuse.map(({ id }) => id) }),
    }
  }

  #reported({ costNanoUsd, usage }: SettledAttempt, unit: 'usd' | 'tokens'): bigint | undefined {
    return unit === 'usd' ? costNanoUsd : BigInt(tokensOf(usage ?? {}))
  }

  /** What it cost at most, from what was seen; undefined where that proves nothing. Never more than was held. */
  #estimated(attempt: SettledAttempt, unit: 'usd' | 'tokens'): bigint | undefined {
    const { bound, isVisible, stopsBilling, outputTokens, kind } = this.state
    if (kind === 'expected') return this.#reported(attempt, unit)
    const isWhole = attempt.outcome === 'ok'
    if (bound === undefined || !isVisible || !(isWhole || stopsBilling)) return undefined
    const seen = Math.max(attempt.seenTokens, attempt.reportedOutputTokens)
    // What was seen beyond a hold that grew too slowly is told, not hidden; what may have been made after it is not.
    const output = Math.max(seen, Math.min(outputTokens, seen + (isWhole ? 0 : flightTokens)))
    return amountAt(bound, unit, kind === 'growing' ? output : Math.min(output, outputTokens))
  }
}

/** Tokens as budgets of tokens count them: all of the input, cached or not, and all of the output. */
export function tokensOf(usage: UsageCounts): number {
  const { input = 0, cacheRead = 0, cacheWrite5m = 0, cacheWrite1h = 0, output = 0 } = usage
  return input + cacheRead + cacheWrite5m + cacheWrite1h + output
}
