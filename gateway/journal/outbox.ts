import { readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Acknowledged, IncarnationFolder } from './incarnation-folder.ts'
import type { Written } from './journal-messages.ts'
import { packGap, type Segment } from './segment.ts'

/** A sealed segment on the disk. */
export interface OutboxEntry extends Omit<Segment, 'bytes'> {
  readonly index: number
  /** Its lines end here in the raw files. */
  readonly end: Written
  readonly size: number
  /** Says only that records are lost. */
  readonly isGap: boolean
}

const namePattern = /^(\d+)\.(\d+)-(\d+)\.(\d+)\.(\d+)-(\d+)\.([0-9a-f]{64})\.zst$/

function nameOf({ index, first, last, records, end, digest }: Omit<OutboxEntry, 'size' | 'isGap'>): string {
  const number = String(index).padStart(10, '0')
  return `${number}.${first}-${last}.${records}.${end.file}-${end.end}.${digest.slice(7)}.zst`
}

/**
 * The sealed segments of one incarnation, oldest first. Everything that must survive a crash is in the files' names, so
 * that a segment and what is known of it appear on the disk in one step.
 */
export class Outbox {
  readonly #folder: IncarnationFolder
  readonly #entries: OutboxEntry[]
  #acknowledged: Acknowledged
  #bytes: number

  constructor(folder: IncarnationFolder) {
    this.#folder = folder
    this.#acknowledged = folder.loadAcknowledged()
    this.#entries = this.#list()
    this.#bytes = this.#entries.reduce((sum, entry) => sum + entry.size, 0)
  }

  #list(): OutboxEntry[] {
    const entries: OutboxEntry[] = []
    for (const name of readdirSync(this.#folder.outbox).sort()) {
      const match = namePattern.exec(name)
      const path = join(this.#folder.outbox, name)
      const [index, first, last, records, file, end] = (match?.slice(1, 7) ?? []).map(Number)
      // Two of one number: a crash came between writing what stands in its place and removing it.
      const known = index !== undefined && index > this.#acknowledged.index && index !== entries.at(-1)?.index
      if (!known || first === undefined || last === undefined || records === undefined) {
        // A write that was cut off, or a segment whose acknowledgement was noted just before a crash.
        rmSync(path, { force: true })
        continue
      }
      const digest = `sha256:${match?.[7]}`
      const place = { file: file ?? 0, end: end ?? 0 }
      const { size } = statSync(path)
      entries.push({ index, first, last, records, end: place, digest, size, isGap: records === 0 })
    }
    return entries
  }

  get bytes(): number {
    return this.#bytes
  }

  get length(): number {
    return this.#entries.length
  }

  get first(): OutboxEntry | undefined {
    return this.#entries[0]
  }

  /** Digest of the segment that was acknowledged last. */
  get previous(): string | null {
    return this.#acknowledged.digest
  }

  /** Where the next segment begins in the raw files. */
  get sealedTo(): Written {
    return this.#entries.at(-1)?.end ?? this.#acknowledged
  }

  /** The last sequence that is in a segment. */
  get lastSequence(): number {
    return this.#entries.at(-1)?.last ?? this.#acknowledged.last
  }

  add(segment: Segment, end: Written): void {
    const index = (this.#entries.at(-1)?.index ?? this.#acknowledged.index) + 1
    this.#entries.push(this.#write(segment, { index, end }))
  }

  #write(segment: Segment, place: { readonly index: number; readonly end: Written }): OutboxEntry {
    const { bytes, ...known } = segment
    const entry = { ...known, ...place, size: bytes.length, isGap: known.records === 0 }
    const path = join(this.#folder.outbox, nameOf(entry))
    writeFileSync(`${path}.tmp`, bytes, { mode: 0o600 })
    renameSync(`${path}.tmp`, path)
    this.#bytes += entry.size
    return entry
  }

  read(entry: OutboxEntry): Buffer {
    return readFileSync(join(this.#folder.outbox, nameOf(entry)))
  }

  /** The control plane has the first segment. */
  acknowledge(entry: OutboxEntry): void {
    const { index, last, digest, end } = entry
    this.#acknowledged = { index, last, digest, file: end.file, end: end.end }
    this.#folder.storeAcknowledged(this.#acknowledged)
    this.#entries.shift()
    this.#unlink(entry)
  }

  #unlink(entry: OutboxEntry): void {
    rmSync(join(this.#folder.outbox, nameOf(entry)), { force: true })
    this.#bytes -= entry.size
  }

  /** Puts another segment in the place of an entry. */
  replace(entry: OutboxEntry, segment: Segment): void {
    const at = this.#entries.indexOf(entry)
    this.#entries[at] = this.#write(segment, { index: entry.index, end: entry.end })
    this.#unlink(entry)
  }

  /** Gives up the oldest segment of records but `kept`; gives how many records are lost, 0 where none is left. */
  dropOldest(kept: OutboxEntry | undefined): number {
    const at = this.#entries.findIndex((entry) => !entry.isGap && entry !== kept)
    const entry = this.#entries[at]
    if (entry === undefined) return 0
    const before = this.#entries[at - 1]
    const joined = before?.isGap === true && before !== kept && before.last + 1 === entry.first
    const from = joined ? before.first : entry.first
    const { incarnation } = this.#folder
    this.replace(entry, packGap({ incarnation, from, to: entry.last, reason: 'overflow' }))
    if (joined) {
      this.#entries.splice(at - 1, 1)
      this.#unlink(before)
    }
    return entry.records
  }
}
