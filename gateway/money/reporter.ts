import { leasesPerRequestMax } from '@signalbox/sdk/contract'
import type { Lease } from './lease.ts'
import type { LeasePool } from './lease-pool.ts'
import { type LedgerTalk, usableShare } from './lease-wishes.ts'
import type { SettlementQueue } from './settlement-queue.ts'

/** A lease is reported at least this often, as a sign of life. */
const heartbeatMs = 5000
const backoffMsMax = 10_000

/** Tells the ledger where leases stand and what was settled. Repeated until it is heard; order does not matter. */
export class Reporter {
  readonly #talk: LedgerTalk & { readonly queue: SettlementQueue }
  readonly #heardMs = new WeakMap<Lease, number>()
  #failures = 0
  #notBeforeMs = 0

  constructor(talk: LedgerTalk & { readonly queue: SettlementQueue }) {
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
    while (due.length > 0 || queue.length > 0) {
      if (!(await this.#send(due.splice(0, leasesPerRequestMax)))) return false
    }
    for (const pool of pools) pool.forgetClosed()
    return pools.every((pool) => pool.reportable.every((lease) => !lease.dirty))
  }

  async #send(leases: readonly { readonly pool: LeasePool; readonly lease: Lease }[]): Promise<boolean> {
    const { link, incarnation, clock, times, signal, counts, queue, noteWindows, journal, log } = this.#talk
    const sentMs = clock.monotonicMs()
    const settlements = [...queue.next()]
    const reports = leases.map(({ lease }) => lease.report())
    try {
      const body = { incarnation, leases: reports, settlements }
      const reply = await link.settle(body, AbortSignal.any([signal, AbortSignal.timeout(times.requestMs)]))
      this.#failures = 0
      counts.reports++
      queue.acknowledge(settlements)
      journal?.acknowledged(settlements.length, reports)
      noteWindows(reply.windows)
      for (const [index, { pool, lease }] of leases.entries()) {
        const report = reports[index]
        if (report !== undefined) lease.acknowledge(report)
        this.#heardMs.set(lease, sentMs)
        const said = reply.leases.find(({ leaseId }) => leaseId === lease.id)
        if (said === undefined) continue
        lease.deadlineMs = Math.max(lease.deadlineMs, sentMs + said.expiresInMs * usableShare)
        // What is wanted back is given back at once; who needs it asks again.
        if (said.recall && pool.waiters.length === 0) lease.shrink()
      }
      return true
    } catch (error) {
      counts.ledgerFailures++
      if (this.#failures === 0) log.warn({ reason: String(error) }, 'the ledger did not take a report')
      this.#failures++
      const backoffMs = Math.min(backoffMsMax, times.backoffMs * 2 ** Math.min(this.#failures, 10))
      this.#notBeforeMs = clock.monotonicMs() + backoffMs / 2
      return false
    }
  }
}
