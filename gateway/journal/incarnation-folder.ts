import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Written } from './journal-messages.ts'

const rawPattern = /^raw-(\d+)\.ndjson$/

/** How far an incarnation's records have reached the control plane. */
export interface Acknowledged {
  /** Number of the segment; 0 before the first. */
  readonly index: number
  /** Its records end here in the raw files. */
  readonly file: number
  readonly end: number
  /** Its last sequence. */
  readonly last: number
  /** Its digest: `previous` of the next one; null before the first. */
  readonly digest: string | null
}
const nothingAcknowledged: Acknowledged = { index: 0, file: 0, end: 0, last: 0, digest: null }

/** By hand: the journal's thread does without the contract's validator. Undefined where the text is damaged. */
function parseAcknowledged(text: string): Acknowledged | undefined {
  const value: Partial<Acknowledged> | null = JSON.parse(text)
  const { index, file, end, last, digest } = value ?? {}
  const areCounts = [index, file, end, last].every((each) => Number.isSafeInteger(each) && Number(each) >= 0)
  if (!areCounts || (digest !== null && typeof digest !== 'string')) return undefined
  return { index: index ?? 0, file: file ?? 0, end: end ?? 0, last: last ?? 0, digest }
}

/**
 * What one run of the gateway leaves on the disk:
 * `raw-N.ndjson` records as they were written · `outbox/` sealed segments that are not acknowledged yet ·
 * `acknowledged.json` how far the control plane has them · `taken` the highest sequence that was ever given out.
 */
export class IncarnationFolder {
  readonly incarnation: string
  readonly path: string

  constructor(journalFolder: string, incarnation: string) {
    this.incarnation = incarnation
    this.path = join(journalFolder, incarnation)
  }

  create(): void {
    mkdirSync(this.outbox, { recursive: true, mode: 0o700 })
  }

  get outbox(): string {
    return join(this.path, 'outbox')
  }

  get takenPath(): string {
    return join(this.path, 'taken')
  }

  rawPath(file: number): string {
    return join(this.path, `raw-${file}.ndjson`)
  }

  /** The raw files that are there, with their sizes, in order. */
  rawFiles(): Written[] {
    return readdirSync(this.path)
      .flatMap((name) => rawPattern.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b)
      .map((file) => ({ file, end: statSync(this.rawPath(file)).size }))
  }

  removeRaw(file: number): void {
    rmSync(this.rawPath(file), { force: true })
  }

  /** The highest sequence that was given out; 0 where none was. */
  loadTaken(): number {
    try {
      const bytes = readFileSync(this.takenPath)
      return bytes.length >= 8 ? bytes.readDoubleLE(0) : 0
    } catch {
      return 0
    }
  }

  loadAcknowledged(): Acknowledged {
    try {
      const text = readFileSync(join(this.path, 'acknowledged.json'), 'utf8')
      return parseAcknowledged(text) ?? nothingAcknowledged
    } catch {
      // Nothing was acknowledged so far. Where the file was lost, records go twice, which is harmless.
      return nothingAcknowledged
    }
  }

  storeAcknowledged(acknowledged: Acknowledged): void {
    const path = join(this.path, 'acknowledged.json')
    writeFileSync(`${path}.tmp`, JSON.stringify(acknowledged), { mode: 0o600 })
    renameSync(`${path}.tmp`, path)
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

/** Folders that earlier runs left behind, oldest first (ids are ordered by time). */
export function leftoverFolders(journalFolder: string, incarnation: string): IncarnationFolder[] {
  return readdirSync(journalFolder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== incarnation)
    .map((entry) => entry.name)
    .sort()
    .map((name) => new IncarnationFolder(journalFolder, name))
}
