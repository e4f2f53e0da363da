import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { RefusedReport, refusedPerRequestMax, refusedReportCharsMax } from '@signalbox/sdk/contract'
import { fits, type Logger } from '@signalbox/sdk/node'
import type { Clock } from '../clock.ts'
import type { LedgerLink, Report } from './ledger-link.ts'

/** So often a report is refused before it is put aside. */
export const refusalsMax = 5
/** Reports that wait for the control plane; what is refused beyond them is only counted. */
const reportsMax = 10_000
/** Reports whose refusals are remembered. */
const countedMax = 10_000
const errorCharsMax = 512
const suffix = '.json'
const requestMs = 5000
/** Between two tries to hand them over. */
const pauseMs = 10_000
/** Between two lines of the log that say the same. */
const quietMs = 60_000

export interface RefusedReportsOptions {
  /** Each report is a file here until the control plane has it. Left out: they are kept in memory alone. */
  readonly folder?: string
  readonly link: Pick<LedgerLink, 'putAside'>
  readonly clock: Clock
  readonly createId: () => string
  readonly log: Logger
}

function keyOf({ leases: [lease], settlements: [row] }: Report): string {
  return row === undefined ? `${lease?.leaseId}` : `${row.callId} ${row.attempt} ${row.leaseId}`
}

/**
 * Reports that the ledger refuses again and again. Repeating them for ever would help nobody and hold up what comes
 * after them: they are put aside, in a file each, and handed to the control plane for an operator to decide.
 */
export class RefusedReports {
  /** Put aside since the start. */
  count = 0
  /** Times that the ledger did not know the form of a report, since the start. */
  notUnderstood = 0
  readonly #options: RefusedReportsOptions
  readonly #refusals = new Map<string, number>()
  readonly #waiting = new Map<string, RefusedReport>()
  #notBeforeMs = 0
  #quietUntilMs = Number.NEGATIVE_INFINITY

  constructor(options: RefusedReportsOptions) {
    this.#options = options
    if (options.folder !== undefined) this.#load(options.folder)
  }

  #load(folder: string): void {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    for (const name of readdirSync(folder).filter((each) => each.endsWith(suffix))) {
      try {
        const report: unknown = JSON.parse(readFileSync(join(folder, name), 'utf8'))
        if (fits(RefusedReport, report)) this.#waiting.set(report.id, report)
      } catch (error) {
        this.#options.log.error({ err: error, name }, 'a refused report cannot be read')
      }
    }
  }

  /** Not with the control plane yet. */
  get waiting(): number {
    return this.#waiting.size
  }

  /**
   * The ledger refuses one lease's or one attempt's report. True where that was once too often: it is put aside, a
   * lease with what it says at its end.
   */
  refuse(report: Report, error: unknown, incarnation: string): boolean {
    const key = keyOf(report)
    const tries = (this.#refusals.get(key) ?? 0) + 1
    if (this.#refusals.size >= countedMax) this.#refusals.clear()
    this.#refusals.set(key, tries)
    if (tries < refusalsMax) return false
    if (report.leases.some(({ final }) => !final)) return true
    this.#refusals.delete(key)
    this.#keep(report, { error: String(error).slice(0, errorCharsMax), incarnation, tries })
    return true
  }

  /**
   * The ledger does not know the form of a report that is right by this gateway's own contract: the two programs are of
   * different versions. No person could decide anything about it; it waits until they understand each other.
   */
  defer(error: unknown): void {
    const { clock, log } = this.#options
    this.notUnderstood++
    const nowMs = clock.monotonicMs()
    if (nowMs < this.#quietUntilMs) return
    this.#quietUntilMs = nowMs + quietMs
    log.error(
      { reason: String(error).slice(0, errorCharsMax) },
      'reports wait: the control plane is of a version that does not understand them',
    )
  }

  #keep(report: Report, refused: Pick<RefusedReport, 'error' | 'incarnation' | 'tries'>): void {
    const { folder, clock, createId, log } = this.#options
    this.count++
    if (this.#waiting.size >= reportsMax) {
      log.error({ ...refused, report }, 'a report that the ledger refuses is given up: too many wait')
      return
    }
    log.error({ ...refused, report }, 'a report that the ledger refuses is put aside')
    const text = JSON.stringify(report).slice(0, refusedReportCharsMax)
    const kept = { ...refused, id: createId(), timeMs: Math.floor(clock.nowMs()), report: text }
    this.#waiting.set(kept.id, kept)
    if (folder === undefined) return
    try {
      const path = join(folder, `${kept.id}${suffix}`)
      writeFileSync(`${path}.tmp`, JSON.stringify(kept), { mode: 0o600 })
      renameSync(`${path}.tmp`, path)
    } catch (error) {
      log.error({ err: error }, 'a refused report cannot be written down')
    }
  }

  /**
   * Hands to the control plane what has waited longest, one request of it: what leases spent is told in between. Where
   * it does not take it, a later call tries again.
   */
  async send(signal: AbortSignal): Promise<void> {
    const { link, folder, clock, log } = this.#options
    if (this.#waiting.size === 0 || clock.monotonicMs() < this.#notBeforeMs) return
    try {
      const reports = [...this.#waiting.values()].slice(0, refusedPerRequestMax)
      await link.putAside({ reports }, AbortSignal.any([signal, AbortSignal.timeout(requestMs)]))
      for (const { id } of reports) {
        this.#waiting.delete(id)
        if (folder !== undefined) rmSync(join(folder, `${id}${suffix}`), { force: true })
      }
    } catch (error) {
      this.#notBeforeMs = clock.monotonicMs() + pauseMs
      if (!signal.aborted) log.warn({ reason: String(error) }, 'refused reports wait for the control plane')
    }
  }
}
