import { type SettlementReport, settlementsPerReportMax } from '@signalbox/sdk/contract'

/** Rows that wait to be reported. They only tell what was spent on what: the leases' own sums carry the money. */
const rowsMax = 100_000

/** Settlements on their way to the ledger, in order; each stays until the ledger has it. */
export class SettlementQueue {
  #rows: SettlementReport[] = []
  /** Rows that were given up because too many waited. */
  lost = 0

  add(rows: readonly SettlementReport[]): void {
    this.#rows.push(...rows)
    const excess = this.#rows.length - rowsMax
    if (excess <= 0) return
    this.#rows.splice(0, excess)
    this.lost += excess
  }

  get length(): number {
    return this.#rows.length
  }

  /** The rows of the next report. They are still there until `acknowledge`. */
  next(): readonly SettlementReport[] {
    return this.#rows.slice(0, settlementsPerReportMax)
  }

  acknowledge(sent: readonly SettlementReport[]): void {
    const last = sent.at(-1)
    const index = last === undefined ? -1 : this.#rows.indexOf(last)
    if (index >= 0) this.#rows.splice(0, index + 1)
  }

  /** All that waits. */
  all(): readonly SettlementReport[] {
    return this.#rows
  }
}
