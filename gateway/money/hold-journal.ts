import { closeSync, ftruncateSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { LeaseReport, SettlementReport } from '@signalbox/sdk/contract'
import type { Logger } from '@signalbox/sdk/node'
import { writeAtTurnEnd } from '../turn-end.ts'
import type { Hold } from './hold.ts'
import type { LeasePool } from './lease-pool.ts'

/** The journal begins anew after this many bytes, with what is still open. */
const bytesMax = 32 * 1024 * 1024

export interface HoldJournalOptions {
  readonly folder: string
  readonly incarnation: string
  /** Names this boot of the machine: what is written without `fsync` is evidence only while it runs. */
  readonly bootId: string
  readonly log: Logger
}

/**
 * Holds and settlements, each written before it counts (`write`, no `fsync`): those of one turn together, before the
 * requests and answers that they are of leave. After the death of the process they are evidence of what may have been
 * spent. One line each: `B` boot · `L` lease that was asked for or granted, settled
 * before · `H` hold of an attempt in a lease · `R` its end without cost · `S` settlement · `K` so many settlements are
 * reported · `F` a lease is closed.
 */
export class HoldJournal {
  readonly path: string
  readonly #options: HoldJournalOptions
  #descriptor: number
  #bytes = 0
  /** Lines of this turn. */
  #waiting = ''
  #isBroken = false

  constructor(options: HoldJournalOptions) {
    this.#options = options
    mkdirSync(options.folder, { recursive: true, mode: 0o700 })
    this.path = join(options.folder, `${options.incarnation}.holds`)
    this.#descriptor = openSync(this.path, 'a', 0o600)
    this.#write(`B ${options.bootId}\n`)
  }

  get isFull(): boolean {
    return this.#bytes > bytesMax
  }

  /** Leases that are asked for, before they are: whether they came may never be heard. */
  asked(leaseIds: readonly string[]): void {
    this.#write(leaseIds.map((id) => `L ${id} 0\n`).join(''))
  }

  /** The ledger grants nothing under this id. */
  refused(leaseId: string): void {
    this.#write(`F ${leaseId}\n`)
  }

  held({ callId, attempt, parts }: Hold): void {
    for (const { lease, amount } of parts) this.#add(`H ${callId} ${attempt} ${lease.id} ${amount}\n`)
  }

  released({ callId, attempt, parts }: Hold): void {
    for (const { lease } of parts) this.#add(`R ${callId} ${attempt} ${lease.id}\n`)
  }

  settled(rows: readonly SettlementReport[]): void {
    for (const row of rows) this.#add(settlementLine(row))
  }

  /** The ledger has the next `count` settlements, and these leases as they are. */
  acknowledged(count: number, leases: readonly LeaseReport[]): void {
    let text = count === 0 ? '' : `K ${count}\n`
    for (const { leaseId, final } of leases) if (final) text += `F ${leaseId}\n`
    if (text !== '') this.#write(text)
  }

  /** Begins anew with what is open: every lease, its holds, and the settlements that are not reported. */
  begin(pools: readonly LeasePool[], unreported: readonly SettlementReport[]): void {
    const waiting = new Map<string, bigint>()
    for (const { leaseId, actual, overrun } of unreported) {
      waiting.set(leaseId, (waiting.get(leaseId) ?? 0n) + BigInt(actual) - BigInt(overrun))
    }
    let text = `B ${this.#options.bootId}\n`
    for (const { leases, holds, wish } of pools) {
      if (wish !== undefined) text += `L ${wish.leaseId} 0\n`
      for (const { id, settled } of leases) text += `L ${id} ${settled - (waiting.get(id) ?? 0n)}\n`
      holds.visit(({ callId, attempt, parts }) => {
        for (const { lease, amount } of parts) text += `H ${callId} ${attempt} ${lease.id} ${amount}\n`
      })
    }
    for (const row of unreported) text += settlementLine(row)
    this.#waiting = ''
    try {
      const descriptor = openSync(`${this.path}.tmp`, 'w', 0o600)
      writeSync(descriptor, text)
      renameSync(`${this.path}.tmp`, this.path)
      closeSync(this.#descriptor)
      this.#descriptor = descriptor
      this.#bytes = text.length
    } catch (error) {
      this.#break(error)
    }
  }

  /** Closes it; where everything was reported, and no wish is open, there is nothing to keep. */
  close(isReported: boolean): void {
    this.#flush()
    closeSync(this.#descriptor)
    this.#isBroken = true
    if (isReported) rmSync(this.path, { force: true })
  }

  /** Written at the end of the turn, or when a line is that must not wait. */
  #add(line: string): void {
    if (this.#waiting === '') writeAtTurnEnd(() => this.#flush())
    this.#waiting += line
  }

  #flush(): void {
    if (this.#waiting !== '') this.#write('')
  }

  /** Writes at once, after what waits. */
  #write(last: string): void {
    const text = this.#waiting + last
    this.#waiting = ''
    if (this.#isBroken) return
    try {
      const written = writeSync(this.#descriptor, text)
      // Ids, numbers and letters: each character is a byte.
      if (written !== text.length) throw new Error('the disk took a part of a line')
      this.#bytes += written
    } catch (error) {
      this.#break(error)
    }
  }

  /** A journal with holes would be wrong evidence; without one the leases of a dead process stay stranded. */
  #break(error: unknown): void {
    this.#isBroken = true
    this.#options.log.error({ err: error }, 'the journal of holds cannot be written; it is given up')
    try {
      ftruncateSync(this.#descriptor, 0)
      rmSync(this.path, { force: true })
    } catch {
      // Nothing more can be done; the next start finds a journal whose last line is not whole.
    }
  }
}

function settlementLine(row: SettlementReport): string {
  const { callId, attempt, leaseId, hold, actual, overrun, evidence, timeMs } = row
  return `S ${callId} ${attempt} ${leaseId} ${hold} ${actual} ${overrun} ${evidence} ${timeMs}\n`
}
