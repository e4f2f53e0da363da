import { setTimeout as wait } from 'node:timers/promises'
import type { WindowBalance } from '@signalbox/sdk/contract'
import type { Logger } from '@signalbox/sdk/node'
import type { Clock } from '../clock.ts'
import { BackgroundDrains, type DrainLimits } from './background-drains.ts'
import type { BudgetSet } from './call-budgets.ts'
import { Hold, type HoldLog, type HoldOwner } from './hold.ts'
import type { HoldJournal } from './hold-journal.ts'
import { LeasePool, type Waiter, type WaiterAnswer, waitersMax } from './lease-pool.ts'
import { LeaseWishes } from './lease-wishes.ts'
import type { LedgerLink } from './ledger-link.ts'
import { RefusedReports } from './refused-reports.ts'
import { Reporter } from './reporter.ts'
import { SettlementQueue } from './settlement-queue.ts'

export interface MoneyTimes {
  /** A call waits this long for a lease, and up to `patience` times as long for a ledger that answers slowly. */
  readonly grantMs: number
  /** Between two reports to the ledger. */
  readonly reportMs: number
  /** A question to the ledger is repeated after this. */
  readonly requestMs: number
  readonly backoffMs: number
}
export const standardMoneyTimes: MoneyTimes = { grantMs: 250, reportMs: 500, requestMs: 2000, backoffMs: 100 }

/** A ledger that has answered within `answersMs`, and has failed nobody since, is not away: it is only slow. */
const patience = 4
const answersMs = 5000

export interface MoneyOptions {
  readonly link: LedgerLink
  readonly incarnation: string
  readonly clock: Clock
  readonly createId: () => string
  readonly log: Logger
  /** Absent: what is held when the process dies stays stranded. */
  readonly journal?: HoldJournal
  /** Absent: reports that the ledger refuses for good are kept in memory until the control plane has them. */
  readonly refused?: RefusedReports
  readonly times?: MoneyTimes
  readonly drainLimits?: DrainLimits
}

/** What metrics say of the money. Amounts of leases are nano-dollars. */
export interface MoneyStatus {
  readonly leases: number
  readonly leasedNanoUsd: bigint
  readonly heldNanoUsd: bigint
  readonly waiting: number
  readonly unreported: number
  readonly lostReports: number
  /** Put aside since the start: the ledger refused them for good. */
  readonly refusedReports: number
  /** Times that the ledger did not know the form of a report, since the start. */
  readonly notUnderstood: number
}

/** Counts since the start. */
export class MoneyCounts {
  grants = 0
  refusals = 0
  ledgerFailures = 0
  reports = 0
  overruns = 0
  /** Spent under soft budgets without any lease to book it on. */
  unbooked = 0
  cuts = 0
  drained = 0
  /** What shadow budgets would have refused. */
  wouldRefuse = 0
}

/**
 * The money of one gateway: leases in hand by set of budgets, what attempts keep of them, and their reports to the
 * ledger. Taking and settling are synchronous; only who finds too little waits, and all who do share one question.
 */
export class Money {
  readonly counts = new MoneyCounts()
  readonly drains: BackgroundDrains
  readonly times: MoneyTimes
  readonly #options: MoneyOptions
  readonly #pools = new Map<string, LeasePool>()
  readonly #windows = new Map<string, WindowBalance>()
  readonly #queue = new SettlementQueue()
  readonly #wishes: LeaseWishes
  readonly #reporter: Reporter
  readonly #refused: RefusedReports
  /** When the ledger answered last, and what it had failed to answer by then. */
  #heard = { atMs: Number.NEGATIVE_INFINITY, failures: 0 }
  readonly #stop = new AbortController()
  readonly #log: HoldLog
  #timer: NodeJS.Timeout | undefined
  #measuredMs: number
  #ticking: Promise<void> = Promise.resolve()
  /** A tick waits for its turn. */
  #isTickDue = false

  constructor(options: MoneyOptions) {
    this.#options = options
    this.times = options.times ?? standardMoneyTimes
    this.drains = new BackgroundDrains(options.drainLimits)
    this.#measuredMs = options.clock.monotonicMs()
    const { journal } = options
    const shared = {
      ...{ link: options.link, incarnation: options.incarnation, clock: options.clock, log: options.log },
      ...{ times: this.times, counts: this.counts, signal: this.#stop.signal, journal },
      noteWindows: (windows: readonly WindowBalance[]) => this.#noteWindows(windows),
    }
    this.#wishes = new LeaseWishes({ ...shared, createId: options.createId })
    this.#refused = options.refused ?? new RefusedReports(options)
    this.#reporter = new Reporter({ ...shared, queue: this.#queue, refused: this.#refused })
    this.#log = {
      held: (hold) => journal?.held(hold),
      released: (hold) => journal?.released(hold),
      settled: (rows) => {
        journal?.settled(rows)
        this.#queue.add(rows)
      },
    }
  }

  /** Begins to report; nothing is asked of the ledger before a call needs it. */
  start(): void {
    const { reportMs } = this.times
    this.#timer = setInterval(() => {
      // Where the ledger is slow one tick waits for the one before it; more would only come in a burst later.
      if (this.#isTickDue) return
      this.#isTickDue = true
      this.#ticking = this.#ticking.then(() => {
        this.#isTickDue = false
        return this.#tick()
      })
    }, reportMs)
    this.#timer.unref()
  }

  get nowMs(): number {
    return this.#options.clock.nowMs()
  }

  /** Milliseconds that only ever grow. */
  get steadyMs(): number {
    return this.#options.clock.monotonicMs()
  }

  poolOf(set: BudgetSet): LeasePool {
    let pool = this.#pools.get(set.id)
    if (pool === undefined) {
      const nowMs = (): number => this.#options.clock.monotonicMs()
      pool = new LeasePool(set, { nowMs, onShort: (short) => this.#wishes.ask(short) })
      this.#pools.set(set.id, pool)
    }
    return pool
  }

  /** Keeps `amount` for an attempt, written down first; undefined where the leases in hand cannot give it. */
  take(set: BudgetSet, amount: bigint, owner: HoldOwner): Hold | undefined {
    const pool = this.poolOf(set)
    const parts = pool.take(amount)
    if (parts === undefined) return undefined
    const hold = new Hold(pool, parts, owner, this.#log)
    this.#log.held(hold)
    return hold
  }

  /** Keeps what there is, up to `amount`: for budgets that never refuse. */
  takeUpTo(set: BudgetSet, amount: bigint, owner: HoldOwner): Hold {
    const pool = this.poolOf(set)
    const hold = new Hold(pool, pool.take(amount) ?? pool.takeUpTo(amount), owner, this.#log)
    this.#log.held(hold)
    return hold
  }

  /** Asks the ledger for more, together with all others who wait for the same budgets. */
  ask(set: BudgetSet, wanted: Omit<Waiter, 'done'>, timeoutMs: number): Promise<WaiterAnswer> {
    const pool = this.poolOf(set)
    if (pool.waiters.length >= waitersMax || this.#stop.signal.aborted) return Promise.resolve('away')
    return new Promise((resolve) => {
      const giveUp = (): void => {
        const index = pool.waiters.indexOf(waiter)
        if (index >= 0) pool.waiters.splice(index, 1)
        resolve('away')
      }
      // Who asks again is past its time already: that is a part of the patience.
      const graceMs = this.times.grantMs * (patience - 1) + Math.min(0, timeoutMs)
      const onTime = (): void => {
        if (graceMs > 0 && this.#isAnswering()) timer = setTimeout(giveUp, graceMs)
        else giveUp()
      }
      let timer = setTimeout(onTime, Math.max(0, timeoutMs))
      const waiter: Waiter = {
        ...wanted,
        done: (answer) => {
          clearTimeout(timer)
          resolve(answer)
        },
      }
      pool.waiters.push(waiter)
      this.#wishes.ask(pool)
    })
  }

  /** The ledger's latest word of a budget; undefined before the first. */
  windowOf(budgetId: string): WindowBalance | undefined {
    const window = this.#windows.get(budgetId)
    const isPast = window?.endMs !== undefined && window.endMs !== null && window.endMs <= this.nowMs
    return isPast ? undefined : window
  }

  #isAnswering(): boolean {
    const { atMs, failures } = this.#heard
    return failures === this.counts.ledgerFailures && this.steadyMs - atMs < answersMs
  }

  #noteWindows(windows: readonly WindowBalance[]): void {
    this.#heard = { atMs: this.steadyMs, failures: this.counts.ledgerFailures }
    for (const window of windows) {
      const known = this.#windows.get(window.budgetId)
      const isOlder = known !== undefined && (known.startMs > window.startMs || known.asOfMs > window.asOfMs)
      if (!isOlder) this.#windows.set(window.budgetId, window)
    }
  }

  async #tick(): Promise<void> {
    const nowMs = this.#options.clock.monotonicMs()
    for (const [id, pool] of this.#pools) {
      pool.measure(nowMs - this.#measuredMs)
      pool.giveBack(false)
      if (pool.isForgotten(nowMs)) this.#pools.delete(id)
    }
    this.#measuredMs = nowMs
    const { journal } = this.#options
    if (journal?.isFull === true) journal.begin([...this.#pools.values()], this.#queue.all())
    await this.#reporter.report([...this.#pools.values()])
    await this.#refused.send(this.#stop.signal)
  }

  status(): MoneyStatus {
    let leases = 0
    let waiting = 0
    let leasedNanoUsd = 0n
    let heldNanoUsd = 0n
    for (const pool of this.#pools.values()) {
      leases += pool.leases.length
      waiting += pool.waiters.length
      if (pool.set.unit !== 'usd') continue
      for (const lease of pool.leases) {
        leasedNanoUsd += lease.amount - lease.settled
        heldNanoUsd += lease.held
      }
    }
    const { length: unreported, lost: lostReports } = this.#queue
    const { count: refusedReports, notUnderstood } = this.#refused
    const reports = { unreported, lostReports, refusedReports, notUnderstood }
    return { leases, leasedNanoUsd, heldNanoUsd, waiting, ...reports }
  }

  /**
   * Returns every lease and reports what was settled, as far as that can be done in time. What cannot stays in the
   * journal for the next start.
   */
  async close(withinMs: number): Promise<void> {
    clearInterval(this.#timer)
    const deadlineMs = this.#options.clock.monotonicMs() + withinMs
    const pools = [...this.#pools.values()]
    for (const pool of pools) pool.giveUp()
    // Questions that are out may still bring something; it goes back with the rest.
    const isQuiet = Promise.all([this.#wishes.idle(), this.#ticking])
    await Promise.race([isQuiet, wait(withinMs / 2, undefined, { ref: false })])
    let isDone = false
    while (!isDone && this.#options.clock.monotonicMs() < deadlineMs) {
      for (const pool of pools) pool.giveBack(true)
      isDone = await this.#reporter.report(pools)
      if (!isDone) await wait(Math.min(this.times.backoffMs, withinMs))
    }
    const leftMs = Math.max(0, Math.ceil(deadlineMs - this.#options.clock.monotonicMs()))
    await this.#refused.send(AbortSignal.any([this.#stop.signal, AbortSignal.timeout(leftMs)]))
    // A lease that may have come in the meantime is given back by the next run.
    const isWhole = isDone && !this.#wishes.isOpen
    this.#stop.abort()
    this.#options.journal?.close(isWhole)
  }
}
