import { hash } from 'node:crypto'
import { canonicalJson } from '@signalbox/sdk/node'

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

/**
 * Checks a chain from its first row, in ascending order: no row changed, left out, moved or put in between.
 * Gives the sequence of the first row that is wrong, or null. What was cut off the end it cannot see.
 */
export function findBrokenAuditRow(rows: Iterable<AuditRow>): number | null {
  let previousHash = firstPreviousHash
  let sequence = 0
  for (const row of rows) {
    sequence++
    if (row.sequence !== sequence || row.previousHash !== previousHash) return sequence
    if (hashAuditRow(row) !== row.hash) return sequence
    previousHash = row.hash
  }
  return null
}
