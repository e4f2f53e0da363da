import type { LeaseAnswer } from '@signalbox/sdk/contract'
import { LiveList } from '../live-list.ts'
import type { BudgetSet } from './call-budgets.ts'
import type { Hold, HoldPart } from './hold.ts'
import { Lease } from './lease.ts'

/** Somebody who needs more than there is. */
export interface Waiter {
  /** What the lease in hand must be able to give, and what would be better. */
  readonly need: bigint
  readonly want: bigint
  /** Tries to take it; called when more has come. */
  readonly take: () => boolean
  readonly done: (answer: WaiterAnswer) => void
}
/** `taken`: the waiter has what it needs. A refusal says by which budget. `away`: the ledger did not answer in time. */
export type WaiterAnswer = 'taken' | 'away' | NonNullable<LeaseAnswer['refusedBy']>

/** A wish that is on its way; it keeps its id until it is answered. */
export interface OpenWish {
  readonly leaseId: string
  readonly need: bigint
  readonly want: bigint
}

/** New leases are asked for when less than this share of what a moment takes is free. */
const renewAtPercent = 30n
/** Leases of one set that are open at a time; more would only be crumbs. */
const leasesMax = 32
/** Calls that wait for the same budgets; the rest is refused as if the ledger were away. */
export const waitersMax = 4096
/** A prefetch that brought little is not repeated for this long. */
const prefetchPauseMs = 500
/** What is spent within so many seconds should be in hand, whatever was spent before. */
const targetSeconds = 4
/**
 * What is spent for long within so many seconds should be in hand, and never less than in the fewer: calls go on while
 * a database is started again.
 */
const steadySeconds = 30n
const steadySecondsLeast = 18n
const steadyMs = 16_000
const idleMs = 5000
/** For so long an earlier copy of a wish may still arrive at the ledger after a later one was refused. */
const doubtMs = 60_000

/** The leases of one set of budgets. Taking and settling never wait: between two awaits of others nothing changes. */
export class LeasePool {
  readonly set: BudgetSet
  leases: Lease[] = []
  /** Leases that were refused, and may be granted yet to a copy of the wish that comes late: nobody will use them. */
  #doubts: { readonly lease: Lease; readonly untilMs: number }[] = []
  wish: OpenWish | undefined
  readonly waiters: Waiter[] = []
  /** Attempts that keep something; for the journal's new beginning. */
  readonly holds = new LiveList<Hold>()
  /** Calls under budgets that never refuse do not wait for the ledger before this time. */
  quietUntilMs = 0
  #largest = 0n
  #spent = 0n
  #perSecond = 0n
  #steadyPerSecond = 0n
  #usedMs: number
  #prefetchFromMs = 0
  readonly #nowMs: () => number
  readonly #onShort: (pool: LeasePool) => void

  constructor(set: BudgetSet, options: { nowMs: () => number; onShort: (pool: LeasePool) => void }) {
    this.set = set
    this.#nowMs = options.nowMs
    this.#onShort = options.onShort
    this.#usedMs = options.nowMs()
  }

  /** What the ledger is told of. */
  get reportable(): Lease[] {
    const leases = this.leases.filter(({ isAside, final }) => !isAside || final)
    return this.#doubts.length === 0 ? leases : [...leases, ...this.#doubts.map(({ lease }) => lease)]
  }

  /** The ledger has refused a lease's reports too often. At its end the last one is put aside; then it is forgotten. */
  setAside(lease: Lease): void {
    if (lease.final) lease.acknowledge(lease.report())
    else lease.isAside = true
    lease.shrink()
  }

  /** What can be taken at this moment. */
  free(nowMs = this.#nowMs()): bigint {
    let free = 0n
    for (const lease of this.leases) if (lease.isUsable(nowMs)) free += lease.free
    return free
  }

  /** Takes exactly `amount`, from as many leases as it needs, or nothing. */
  take(amount: bigint): HoldPart[] | undefined {
    const nowMs = this.#nowMs()
    this.#usedMs = nowMs
    if (amount > this.#largest) this.#largest = amount
    const free = this.free(nowMs)
    if (free < amount) {
      this.prefetch()
      return undefined
    }
    const parts = this.#collect(amount, nowMs)
    const left = free - amount
    const isShort = left * 100n < this.#momentary() * renewAtPercent
    if (isShort || left < this.#steadyPerSecond * steadySecondsLeast) this.prefetch()
    return parts
  }

  /** Takes as much of `amount` as is free; what is spent already may come from leases that are past their time. */
  takeUpTo(amount: bigint): HoldPart[] {
    return amount === 0n ? [] : this.#collect(amount, undefined)
  }

  /** From leases that are usable at that time; from all where there is none. */
  #collect(amount: bigint, nowMs: number | undefined): HoldPart[] {
    const parts: HoldPart[] = []
    let missing = amount
    for (const lease of this.leases) {
      if (lease.final || (nowMs !== undefined && !lease.isUsable(nowMs))) continue
      const taken = lease.hold(missing)
      if (taken === 0n) continue
      parts.push({ lease, amount: taken })
      missing -= taken
      if (missing === 0n) break
    }
    return parts
  }

  /** Notes what was spent, for how much to ask next time. */
  noteSpent(amount: bigint): void {
    this.#spent += amount
  }

  /** What this gateway would like to have in hand: for the next moment, or for as long as the ledger may be away. */
  target(): bigint {
    const steady = this.#steadyPerSecond * steadySeconds
    const momentary = this.#momentary()
    return steady > momentary ? steady : momentary
  }

  /** Two of the largest holds, or what it spends in a few seconds. */
  #momentary(): bigint {
    const bySpending = this.#perSecond * BigInt(targetSeconds)
    const byHold = this.#largest * 2n
    return bySpending > byHold ? bySpending : byHold
  }

  /** Notes what a call would rather have had. */
  noteWanted(amount: bigint): void {
    if (amount > this.#largest) this.#largest = amount
  }

  /** Asks for more before somebody must wait for it. */
  prefetch(): void {
    if (this.wish !== undefined || this.leases.length >= leasesMax) return
    if (this.#nowMs() < this.#prefetchFromMs) return
    this.#onShort(this)
  }

  /** The next wish: for the first who waits, or for what is spent ahead. */
  nextWish(leaseId: string): OpenWish {
    const free = this.free()
    for (const waiter of this.waiters) this.noteWanted(waiter.want)
    let want = this.target()
    for (const waiter of this.waiters) want += waiter.want
    const missing = (this.waiters[0]?.need ?? 0n) - free
    const need = missing > 0n ? missing : 1n
    this.wish = { leaseId, need, want: want > need ? want : need }
    return this.wish
  }

  /** What the wish brought. Whoever waits gets it in the order of coming. */
  answer(
    answer: LeaseAnswer,
    { isDoubtful, ...times }: { deadlineMs: number; windowEndMs: number; isDoubtful: boolean },
  ): void {
    const { wish } = this
    this.wish = undefined
    const granted = BigInt(answer.granted)
    if (granted > 0n) this.leases.push(new Lease({ id: answer.leaseId, amount: granted, ...times }))
    else if (isDoubtful) this.#doubt(answer.leaseId)
    if (wish !== undefined && granted * 4n < wish.want) this.#prefetchFromMs = this.#nowMs() + prefetchPauseMs
    const refusedBy = granted > 0n ? undefined : answer.refusedBy
    const available = BigInt(refusedBy?.available ?? 0)
    for (const waiter of this.waiters.splice(0)) {
      const isRefused = refusedBy !== undefined && waiter.need > this.free() + available
      // With what it needs there it is the waiter's own affair why it does not take it.
      if (waiter.take() || waiter.need <= this.free()) waiter.done('taken')
      else if (isRefused) waiter.done(refusedBy)
      else this.waiters.push(waiter)
    }
    // A ledger that grants nothing and names nobody has nothing to give to those who wait.
    if (granted === 0n && refusedBy === undefined) this.giveUp()
    if (this.waiters.length > 0) this.#onShort(this)
  }

  #doubt(leaseId: string): void {
    const nowMs = this.#nowMs()
    const lease = new Lease({ id: leaseId, amount: 0n, deadlineMs: nowMs, windowEndMs: nowMs })
    lease.shrink()
    this.#doubts.push({ lease, untilMs: nowMs + doubtMs })
  }

  /** Nobody need wait any longer. */
  giveUp(): void {
    for (const waiter of this.waiters.splice(0)) waiter.done('away')
  }

  /** Returns what nobody used for a while, and everything on recall or at the end. */
  giveBack(isEnd: boolean): void {
    const nowMs = this.#nowMs()
    const isIdle = isEnd || (nowMs - this.#usedMs > idleMs && this.waiters.length === 0)
    for (const lease of this.leases) {
      if (isIdle || !lease.isUsable(nowMs) || (lease.free === 0n && lease.held === 0n)) lease.shrink()
    }
  }

  /** Looks at what was spent since the last look; half of the weight is on it. */
  measure(sinceMs: number): void {
    if (sinceMs <= 0) return
    const perSecond = (this.#spent * 1000n) / BigInt(Math.ceil(sinceMs))
    this.#perSecond = (this.#perSecond + perSecond) / 2n
    const weight = BigInt(Math.ceil(sinceMs))
    this.#steadyPerSecond += ((perSecond - this.#steadyPerSecond) * weight) / (weight + BigInt(steadyMs))
    // A single large wish should not be remembered for ever.
    this.#largest = (this.#largest * 15n) / 16n
    this.#spent = 0n
  }

  forgetClosed(): void {
    if (this.leases.some((lease) => lease.isClosed))
      this.leases = this.leases.filter((lease) => !lease.isClosed)
    if (this.#doubts.length === 0) return
    const nowMs = this.#nowMs()
    this.#doubts = this.#doubts.filter(({ lease, untilMs }) => !lease.isClosed || untilMs > nowMs)
  }

  /** It holds nothing and nobody asked for a long time. */
  isForgotten(nowMs: number): boolean {
    const isEmpty = this.leases.length + this.#doubts.length === 0 && this.wish === undefined
    return isEmpty && nowMs - this.#usedMs > 10 * idleMs
  }
}
