import { type LeaseReport, leasesPerRequestMax, type SettlementReport } from '@signalbox/sdk/contract'
import { commitTurn } from '../turn-end.ts'
import { type Delivered, deliverReport } from './deliver-report.ts'
import type { Lease } from './lease.ts'
import type { LeasePool } from './lease-pool.ts'
import { type LedgerTalk, usableShare } from './lease-wishes.ts'
import type { SettleReply } from './ledger-link.ts'
import type { RefusedReports } from './refused-reports.ts'
import type { SettlementQueue } from './settlement-queue.ts'

/** A lease is reported at least this often, as a sign of life. */
const heartbeatMs = 5000
const backoffMsMax = 10_000

interface PooledLease {
  readonly pool: LeasePool
  readonly lease: Lease
}
interface Sent {
  readonly leases: readonly PooledLease[]
  readonly reports: readonly LeaseReport[]
  readonly settlements: readonly SettlementReport[]
  readonly sentMs: number
}
type ReporterTalk = LedgerTalk & { readonly queue: SettlementQueue; readonly refused: RefusedReports }

/**
 * Tells the ledger where leases stand and what was settled. Repeated until it is heard, or refused
 * too often; order does not matter.
 */
export class Reporter {
  readonly #talk: ReporterTalk
  readonly #heardMs = new WeakMap<Lease, number>()
  #failures = 0
  #notBeforeMs = 0

  constructor(talk: ReporterTalk) {
    this.#talk = talk
  }

  /** Reports all that the ledger does not know yet; true where it then knows everything. */
  async report(pools: readonly LeasePool[]): Promise<boolean> {
    const { clock, queue } = this.#talk
    const nowMs = clock.monotonicMs()
    if (nowMs < this.#notBeforeMs) return false
    const due = pools.flatMap((pool) =>
      pool.reportable
        .filter((lease) => lease.dirty || nowMs - (this.#heardMs.get(lease) ?? nowMs) >= heartbeatMs)
        .map((lease) => ({ pool, lease })),
    )
    for (const pool of pools) {
      for (const lease of pool.reportable) if (!this.#heardMs.has(lease)) this.#heardMs.set(lease, nowMs)
    }
    let isWanted = true
    while (due.length > 0 || (isWanted && queue.length > 0)) {
      const sent = await this.#send(due.splice(0, leasesPerRequestMax))
      if (sent === 'away') return false
      if (sent === 'again') isWanted = false
    }
    for (const pool of pools) pool.forgetClosed()
    return isWanted && pools.every((pool) => pool.reportable.every((lease) => !lease.dirty))
  }

  /** `again`: the ledger does not want a part of it. */
  async #send(leases: readonly PooledLease[]): Promise<'taken' | 'again' | 'away'> {
    const { link, incarnation, clock, times, signal, queue, refused } = this.#talk
    const sentMs = clock.monotonicMs()
    const settlements = [...queue.next()]
    const reports = leases.map(({ lease }) => lease.report())
    // What the ledger hears of is in the journal before: otherwise a killed process would be judged by less.
    commitTurn()
    try {
      const delivered = await deliverReport(
        { leases: reports, settlements },
        {
          ...{ incarnation, refused },
          send: (report) =>
            link.settle(
              { incarnation, ...report },
              AbortSignal.any([signal, AbortSignal.timeout(times.requestMs)]),
            ),
        },
      )
      this.#failures = 0
      this.#note({ leases, reports, settlements, sentMs }, delivered)
      return delivered.again.size === 0 ? 'taken' : 'again'
    } catch (error) {
      this.#fail(error)
      return 'away'
    }
  }

  #note({ leases, reports, settlements, sentMs }: Sent, { again, aside, ...reply }: Delivered): void {
    const { counts, queue, journal, noteWindows } = this.#talk
    counts.reports++
    // The journal counts rows from the first that is not reported: what comes after one that is sent again waits too.
    const first = settlements.findIndex((row) => again.has(row))
    const done = first === -1 ? settlements : settlements.slice(0, first)
    queue.acknowledge(done)
    journal?.acknowledged(
      done.length,
      reports.filter((report) => !again.has(report)),
    )
    noteWindows(reply.windows)
    for (const [index, { pool, lease }] of leases.entries()) {
      const report = reports[index]
      if (report === undefined || again.has(report)) continue
      if (aside.has(report)) pool.setAside(lease)
      else this.#heard({ pool, lease }, { report, sentMs, said: reply.leases })
    }
  }

  #heard(
    { pool, lease }: PooledLease,
    {
      report,
      sentMs,
      said,
    }: { report: LeaseReport; sentMs: number; said: readonly SettleReply['leases'][number][] },
  ): void {
    lease.acknowledge(report)
    this.#heardMs.set(lease, sentMs)
    const answer = said.find(({ leaseId }) => leaseId === lease.id)
    if (answer === undefined) return
    lease.deadlineMs = Math.max(lease.deadlineMs, sentMs + answer.expiresInMs * usableShare)
    // What is wanted back is given back at once; who needs it asks again.
    if (answer.recall && pool.waiters.length === 0) lease.shrink()
  }

  #fail(error: unknown): void {
    const { counts, clock, times, log } = this.#talk
    counts.ledgerFailures++
    if (this.#failures === 0) log.warn({ reason: String(error) }, 'the ledger did not take a report')
    this.#failures++
    const backoffMs = Math.min(backoffMsMax, times.backoffMs * 2 ** Math.min(this.#failures, 10))
    this.#notBeforeMs = clock.monotonicMs() + backoffMs / 2
  }
}
