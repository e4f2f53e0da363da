import type { CallRecord } from '@signalbox/sdk/contract'
import type { Database, Transaction } from '../db/connect.ts'
import { unpackSegment } from '../segment.ts'
import { appendAudit } from '../stores/audit.ts'
import { type KeptSegment, lockSegments, noteDue, replaceBytes } from '../stores/segments.ts'
import { type ErasureReason, eraseLines } from './erase-lines.ts'

export interface RewriteTools {
  readonly db: Database
  readonly nowMs: () => number
}
/** What is taken out of segments, and who says so. */
export interface Erasure {
  readonly organisationId: string
  readonly actor: string
  readonly action: string
  readonly reason: ErasureReason
  readonly object: string
  readonly isErased: (record: CallRecord, segment: KeptSegment) => boolean
  /** When the first of the bodies that are left must go. */
  readonly dueMs: (segment: KeptSegment) => number | null
  /** Is done in the same transaction, before the audit row. */
  readonly beside?: (tx: Transaction) => Promise<void>
}

interface Rewritten {
  readonly segment: KeptSegment
  readonly erased: number
  readonly bytes: Buffer
  readonly keptDigest: string
}

/**
 * Takes bodies out of segments. The bytes of each are written anew under its old name, which stays the one that its
 * neighbour in the chain names; which bytes stand there now is said by a row of the audit chain, so that whoever
 * verifies finds every byte accounted for: by the gateway's digest, or by ours in the audit log.
 * @returns How many records were taken out, and of how many segments.
 */
export async function rewriteSegments(
  { db, nowMs }: RewriteTools,
  digests: readonly string[],
  erasure: Erasure,
): Promise<{ records: number; segments: number }> {
  const { organisationId, actor, action, reason, object } = erasure
  return await db.transaction(async (tx) => {
    const found: Rewritten[] = []
    for (const segment of await lockSegments(tx, organisationId, digests)) {
      if (segment.bytes === null) continue
      const text = await unpackSegment(segment.bytes)
      const left = await eraseLines(text, reason, (record) => erasure.isErased(record, segment))
      found.push({ segment, erased: left.erased, bytes: left.bytes, keptDigest: left.digest })
    }
    for (const { segment, erased } of found) {
      const { digest } = segment
      if (erased === 0) await noteDue(tx, organisationId, { digest, dueMs: erasure.dueMs(segment) })
    }
    const changed = found.filter(({ erased }) => erased > 0)
    const records = changed.reduce((sum, { erased }) => sum + erased, 0)
    await erasure.beside?.(tx)
    if (changed.length > 0) {
      const segments = Object.fromEntries(
        changed.map(({ segment, keptDigest }) => [segment.digest, keptDigest]),
      )
      const detail = { reason, records, segments }
      const removal = await appendAudit(tx, organisationId, { actor, action, object, detail, nowMs })
      for (const { segment, bytes, keptDigest } of changed) {
        const dueMs = erasure.dueMs(segment)
        await replaceBytes(tx, organisationId, { digest: segment.digest, bytes, keptDigest, dueMs, removal })
      }
    }
    return { records, segments: changed.length }
  })
}
