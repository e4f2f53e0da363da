import type { LeaseReport } from '@signalbox/sdk/contract'

/**
 * Money that was deducted from every budget of a set and handed to this gateway. `amount` only falls, `settled` only
 * rises, so that reports of them may be repeated and overtake each other. Always `settled + held ≤ amount`.
 */
export class Lease {
  readonly id: string
  amount: bigint
  settled = 0n
  /** Kept by attempts that are under way. */
  held = 0n
  /** Monotonic time from which on nothing new is taken from it. */
  deadlineMs: number
  /** Monotonic time at which its windows end; nothing new is taken after that either. */
  readonly windowEndMs: number
  /** Nothing is held any more, and nothing will be. */
  final = false
  /** The ledger does not take its reports: nothing new is taken from it, and it is reported once more at its end. */
  isAside = false
  #reportedAmount: bigint
  #reportedSettled = 0n
  #reportedFinal = false

  constructor(grant: { id: string; amount: bigint; deadlineMs: number; windowEndMs: number }) {
    this.id = grant.id
    this.amount = grant.amount
    this.#reportedAmount = grant.amount
    this.deadlineMs = grant.deadlineMs
    this.windowEndMs = grant.windowEndMs
  }

  /** What nobody keeps. */
  get free(): bigint {
    return this.amount - this.settled - this.held
  }

  isUsable(nowMs: number): boolean {
    return !this.final && !this.isAside && nowMs < this.deadlineMs && nowMs < this.windowEndMs
  }

  /** Takes up to `wanted` of what is free; gives how much. */
  hold(wanted: bigint): bigint {
    const { free } = this
    const taken = free < wanted ? free : wanted
    this.held += taken
    return taken
  }

  /** Ends a hold: `actual` of it is spent, the rest is free again. */
  settle(held: bigint, actual: bigint): void {
    this.held -= held
    this.settled += actual
  }

  /** Gives back what is free. */
  shrink(): void {
    this.amount -= this.free
    if (this.held === 0n) this.final = true
  }

  /** There is news that the ledger does not have. */
  get dirty(): boolean {
    return (
      this.amount !== this.#reportedAmount ||
      this.settled !== this.#reportedSettled ||
      this.final !== this.#reportedFinal
    )
  }

  report(): LeaseReport {
    const { id, amount, settled, final } = this
    return { leaseId: id, amount: String(amount), settled: String(settled), final }
  }

  /** The ledger has this report. */
  acknowledge({ amount, settled, final }: LeaseReport): void {
    this.#reportedAmount = BigInt(amount)
    this.#reportedSettled = BigInt(settled)
    this.#reportedFinal = final
  }

  /** The ledger knows that it is over. */
  get isClosed(): boolean {
    return this.#reportedFinal
  }
}
