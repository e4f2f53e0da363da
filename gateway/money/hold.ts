import type { SettlementReport } from '@signalbox/sdk/contract'
import type { Listed } from '../live-list.ts'
import { commitTurn } from '../turn-end.ts'
import type { Lease } from './lease.ts'
import type { LeasePool } from './lease-pool.ts'

/** What a hold keeps of one lease. */
export interface HoldPart {
  readonly lease: Lease
  amount: bigint
}
/** Where holds and settlements are written down. */
export interface HoldLog {
  held(hold: Hold): void
  released(hold: Hold): void
  settled(rows: readonly SettlementReport[]): void
}
export interface HoldOwner {
  readonly callId: string
  readonly attempt: number
}

/** What one attempt keeps from the leases of one set of budgets. It is settled exactly once. */
export class Hold implements Listed {
  /** Of its pool. */
  slot = 0
  readonly pool: LeasePool
  readonly callId: string
  readonly attempt: number
  readonly parts: HoldPart[]
  #isOver = false
  readonly #log: HoldLog

  constructor(pool: LeasePool, parts: HoldPart[], owner: HoldOwner, log: HoldLog) {
    this.pool = pool
    this.parts = parts
    this.callId = owner.callId
    this.attempt = owner.attempt
    this.#log = log
    pool.holds.add(this)
  }

  get amount(): bigint {
    let amount = 0n
    for (const part of this.parts) amount += part.amount
    return amount
  }

  /** Keeps more, if there is more. */
  raise(extra: bigint): boolean {
    const more = this.#isOver ? undefined : this.pool.take(extra)
    if (more === undefined) return false
    this.#add(more)
    this.#log.held(this)
    // The answer that it is for goes on at once.
    commitTurn()
    return true
  }

  #add(more: readonly HoldPart[]): void {
    for (const { lease, amount } of more) {
      const own = this.parts.find((part) => part.lease === lease)
      if (own === undefined) this.parts.push({ lease, amount })
      else own.amount += amount
    }
  }

  /** Gives everything back; for attempts that never went out. */
  release(): void {
    if (this.#isOver) return
    this.#isOver = true
    for (const { lease, amount } of this.parts) lease.settle(amount, 0n)
    this.pool.holds.delete(this)
    this.#log.released(this)
  }

  /**
   * Spends `actual` and gives back the rest. What is beyond the hold comes from free leases, never from the holds of
   * others; what is beyond those is overrun. Gives the overrun.
   */
  settle(actual: bigint, evidence: SettlementReport['evidence'], timeMs: number): bigint {
    if (this.#isOver) return 0n
    this.#isOver = true
    const beyond = actual - this.amount
    if (beyond > 0n) this.#add(this.pool.takeUpTo(beyond))
    const rows: SettlementReport[] = []
    let left = actual
    for (const { lease, amount } of this.parts) {
      const spent = left < amount ? left : amount
      left -= spent
      lease.settle(amount, spent)
      rows.push(this.#row(lease, { amount, spent, evidence, timeMs }))
    }
    const last = rows.at(-1)
    // The overrun is a part of what the attempt cost: the ledger takes no row in which it is more.
    if (left > 0n && last !== undefined) {
      last.actual = String(BigInt(last.actual) + left)
      last.overrun = String(left)
    }
    this.pool.noteSpent(actual)
    this.pool.holds.delete(this)
    this.#log.settled(rows)
    return left
  }

  #row(
    lease: Lease,
    {
      amount,
      spent,
      evidence,
      timeMs,
    }: {
      amount: bigint
      spent: bigint
      evidence: SettlementReport['evidence']
      timeMs: number
    },
  ): SettlementReport {
    return {
      callId: this.callId,
      attempt: this.attempt,
      leaseId: lease.id,
      hold: String(amount),
      actual: String(spent),
      overrun: '0',
      evidence,
      timeMs: Math.floor(timeMs),
    }
  }
}
