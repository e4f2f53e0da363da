import { Refusal } from '@signalbox/sdk/contract'
import type { Logger } from '@signalbox/sdk/node'
import type { ChangeFeed } from './db/change-feed.ts'
import type { Database, Transaction } from './db/connect.ts'
import { describeFailure } from './db/errors.ts'
import type { Partitions } from './db/partitions.ts'
import type { SegmentOwner } from './db/tables/records.ts'
import type { Gate } from './gate.ts'
import { ownersOf, userHashOf, userOf } from './retention/erase-lines.ts'
import { type Expiry, loadRules, type RetentionRules } from './retention/rules.ts'
import { tallyRecords } from './rollouts/tally-records.ts'
import { type DecodedSegment, decodeSegment } from './segment.ts'
import { noteKeyUse } from './stores/keys.ts'
import type { NewRecord } from './stores/record-columns.ts'
import { insertGaps, insertRecords } from './stores/records.ts'
import { addToRollups } from './stores/rollups.ts'
import { findSegmentRecords, insertSegment } from './stores/segments.ts'

export interface IngestTools {
  readonly db: Database
  readonly changes: ChangeFeed
  readonly partitions: Partitions
  readonly gate: Gate
  readonly nowMs: () => number
  readonly log: Logger
}
/** A segment and who sent it; the rows' own claims about organisation, environment and gateway do not count. */
export interface SegmentUpload {
  readonly organisationId: string
  readonly environment: string
  readonly gatewayId: string
  readonly digest: string
  readonly incarnation: string
  readonly previous: string | null
  /** Lines that the gateway says are in it. */
  readonly records: number
  readonly bytes: Uint8Array
}

/** Segments unpacked and written at the same time, and those that wait, each with its bytes. */
export const ingestLimits = { runningMax: 2, waitingMax: 16 } as const
const dayMs = 86_400_000
/** A record from further away than this is not taken: every day is a partition, and a wrong clock makes many. */
const recordAgeMsMax = 60 * dayMs
const recordAheadMsMax = dayMs

/**
 * Takes a segment in: digest → unpack and parse → rows, gaps and bytes in one transaction → followers. The same
 * segment, and the same record in another one, are taken once.
 * @throws Refusal `invalid_request` that names the line, `request_too_large`, `not_ready` where too many wait.
 */
export async function ingestSegment(
  tools: IngestTools,
  upload: SegmentUpload,
): Promise<{ stored: boolean; records: number }> {
  const known = await findSegmentRecords(tools.db, upload.organisationId, upload.digest)
  if (known !== undefined) return { stored: false, records: known }
  return await tools.gate(async () => {
    const segment = await decodeSegment(upload.bytes, upload.digest)
    checkSegment(segment, upload, tools.nowMs())
    const owners = ownersOf(segment.records.map(({ record }) => record))
    const rules = await loadRules(tools.db, upload.organisationId, owners)
    const records = segment.records.map((placed) => newRecord(placed, upload, rules))
    for (const day of daysOf(records)) await tools.partitions.ensurePartition(day * dayMs)
    const expiry = { owners, ...rules.expiryOf(upload.environment, owners) }
    return await writeSegment(tools, upload, { ...segment, ...expiry }, records)
  })
}

function checkSegment(segment: DecodedSegment, upload: SegmentUpload, nowMs: number): void {
  const lines = segment.records.length + segment.gaps.length
  if (upload.records !== lines && upload.records !== segment.records.length) {
    throw new Refusal('invalid_request', {
      message: `The segment has ${lines} lines, not ${upload.records}.`,
      param: 'records',
    })
  }
  for (const { record, line } of segment.records) {
    const ageMs = nowMs - record.row.timeMs
    if (ageMs > recordAgeMsMax || ageMs < -recordAheadMsMax) {
      const time = new Date(record.row.timeMs).toISOString()
      throw new Refusal('invalid_request', {
        message: `Line ${line} of the segment is of ${time}: too far from now.`,
      })
    }
  }
}

function newRecord(
  { record, ...placed }: DecodedSegment['records'][number],
  upload: SegmentUpload,
  rules: RetentionRules,
): NewRecord {
  const { organisationId, environment, gatewayId } = upload
  const { nodeId = null, keyId = null } = record.row
  const user = userOf(record)
  // The gateway has not heard of the rule yet: its body goes with the next sweep.
  const bare = rules.bodyDays({ environment, nodeId, keyId }) === 0
  const row = bare ? { ...record.row, metadata: {}, modelRequested: '' } : record.row
  return {
    row: { ...row, organisationId, environment, gatewayId },
    userHash: user === undefined ? undefined : userHashOf(organisationId, user),
    segmentDigest: upload.digest,
    segmentOffset: placed.offset,
    segmentLength: placed.length,
  }
}

function daysOf(records: readonly NewRecord[]): Set<number> {
  return new Set(records.map(({ row }) => Math.floor(row.timeMs / dayMs)))
}

/** A segment with whose records it holds and when their bodies must go. */
type ExpiringSegment = DecodedSegment & Expiry & { readonly owners: SegmentOwner[] }

async function writeSegment(
  tools: IngestTools,
  upload: SegmentUpload,
  segment: ExpiringSegment,
  records: readonly NewRecord[],
): Promise<{ stored: boolean; records: number }> {
  const { organisationId, digest } = upload
  const times = records.map(({ row }) => row.timeMs)
  const change = {
    type: 'records',
    organisationId,
    segment: digest,
    fromMs: times.reduce((least, each) => Math.min(least, each), Number.MAX_SAFE_INTEGER),
    toMs: times.reduce((most, each) => Math.max(most, each), 0),
  } as const
  const written = await tools.db.transaction(async (tx) => {
    const kept = await keepSegment(tx, tools, upload, segment)
    if (!kept.stored) return { stored: false, fork: false, inserted: 0 }
    const inserted = await insertRecords(tx, records)
    const fresh = segment.records.map(({ record }) => record).filter(({ row }) => inserted.has(row.id))
    await tallyRecords(tx, { organisationId, environment: upload.environment, nowMs: tools.nowMs() }, fresh)
    await addToRollups(
      tx,
      organisationId,
      fresh.map(({ row }) => row),
    )
    await keepGaps(tx, tools, upload, segment)
    if (inserted.size > 0) await tools.changes.announce(tx, change)
    return { ...kept, inserted: inserted.size }
  })
  if (written.fork) {
    const { gatewayId, incarnation, previous } = upload
    tools.log.warn({ gatewayId, incarnation, segment: digest, previous }, 'the segment forks its chain')
  }
  if (written.inserted > 0) {
    tools.changes.emit(change)
    await noteUse(tools, organisationId, records)
  }
  return { stored: written.stored, records: records.length }
}

/** When keys were used last. The records are stored by now, so a failure here only leaves the time a little older. */
async function noteUse(
  { db, log }: IngestTools,
  organisationId: string,
  records: readonly NewRecord[],
): Promise<void> {
  const usedMs = new Map<string, number>()
  for (const { row } of records) {
    if (row.keyId !== undefined) usedMs.set(row.keyId, Math.max(row.timeMs, usedMs.get(row.keyId) ?? 0))
  }
  try {
    await noteKeyUse(db, organisationId, usedMs)
  } catch (error) {
    log.warn({ err: describeFailure(error) }, 'when keys were used could not be noted')
  }
}

async function keepSegment(
  tx: Transaction,
  tools: IngestTools,
  upload: SegmentUpload,
  segment: ExpiringSegment,
): Promise<{ stored: boolean; fork: boolean }> {
  const { organisationId, gatewayId, digest, incarnation, previous, bytes } = upload
  const { owners, dueMs, goneMs } = segment
  return await insertSegment(tx, {
    organisationId,
    digest,
    gatewayId,
    incarnation,
    previous,
    records: segment.records.length,
    textBytes: segment.textBytes,
    bytes,
    receivedMs: tools.nowMs(),
    ...{ owners, dueMs, goneMs },
  })
}

async function keepGaps(
  tx: Transaction,
  tools: IngestTools,
  upload: SegmentUpload,
  segment: DecodedSegment,
): Promise<void> {
  const { organisationId, environment, gatewayId, digest } = upload
  await insertGaps(
    tx,
    segment.gaps.map((gap) => ({
      organisationId,
      environment,
      gatewayId,
      incarnation: gap.incarnation,
      fromSequence: gap.from,
      toSequence: gap.to,
      reason: gap.reason,
      segmentDigest: digest,
      timeMs: tools.nowMs(),
    })),
  )
}
