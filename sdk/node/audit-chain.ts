import { hash } from 'node:crypto'
import { canonicalJson } from './canonical-json.ts'

/** What an audit row's hash covers. */
export interface AuditContent {
  readonly organisationId: string
  /** Counts up by one per organisation. */
  readonly sequence: number
  readonly timeMs: number
  readonly actor: string
  readonly action: string
  readonly object: string
  readonly detail: Record<string, unknown>
  readonly previousHash: string
}
export interface AuditRow extends AuditContent {
  readonly hash: string
}

/** Stands before the first row of a chain. */
export const firstPreviousHash = '0'.repeat(64)

/** SHA-256, hex, over the canonical JSON of all members but the hash itself. */
export function hashAuditRow(content: AuditContent): string {
  const { organisationId, sequence, timeMs, actor, action, object, detail, previousHash } = content
  const covered = { organisationId, sequence, timeMs, actor, action, object, detail, previousHash }
  return hash('sha256', canonicalJson(covered), 'hex')
}

/** Reads a chain from its first row, in ascending order and in pieces: no row changed, left out, moved or put in. */
export class AuditChainReader {
  /** Rows that are as they were written. */
  rows = 0
  /** Hash of the last of them. */
  hash = firstPreviousHash
  /** Sequence at which the first wrong row stands, or should; null while all is right. */
  broken: number | null = null

  /** Takes the next row. Once one is wrong nothing after it can be judged. */
  take(row: AuditRow): void {
    if (this.broken !== null) return
    const sequence = this.rows + 1
    if (row.sequence !== sequence || row.previousHash !== this.hash || hashAuditRow(row) !== row.hash) {
      this.broken = sequence
      return
    }
    this.rows = sequence
    this.hash = row.hash
  }
}

/**
 * Checks a whole chain. Gives the sequence of the first row that is wrong, or null. What was cut off the end it
 * cannot see: for that a hash must be kept elsewhere.
 */
export function findBrokenAuditRow(rows: Iterable<AuditRow>): number | null {
  const reader = new AuditChainReader()
  for (const row of rows) reader.take(row)
  return reader.broken
}
