import type { Arm, RecordRow } from '@signalbox/sdk/contract'
import {
  bigint,
  boolean,
  doublePrecision,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uuid,
} from 'drizzle-orm/pg-core'
import { bytea, organisationId, timeMs } from '../columns.ts'

/** Bodies of records as a gateway uploaded them: NDJSON, zstd, chained per incarnation. */
export const segment = pgTable(
  'segment',
  {
    organisationId: organisationId(),
    digest: text('digest').notNull(),
    gatewayId: uuid('gateway_id').notNull(),
    incarnation: uuid('incarnation').notNull(),
    /** The incarnation's segment before; null for its first. */
    previous: text('previous'),
    records: integer('records').notNull(),
    /** Size of the unpacked text. */
    textBytes: integer('text_bytes').notNull(),
    /** `previous` was not the incarnation's last segment: kept, and flagged for `audit verify`. */
    fork: boolean('fork').notNull(),
    /** Null where retention has taken them. */
    bytes: bytea('bytes'),
    receivedMs: timeMs('received').notNull(),
    /** Whose records it holds, and of what time; null where it came before this was noted. */
    owners: jsonb('owners').$type<SegmentOwner[]>(),
    /** When the first of its bodies must go; null where none ever must. */
    dueMs: timeMs('due'),
    /** When the last of them must go, and the bytes with it; null where never. */
    goneMs: timeMs('gone'),
    /** Digest of the bytes that are kept, where bodies were taken out of them. */
    keptDigest: text('kept_digest'),
    /** Sequence of the audit row that says why the bytes are not those that came. */
    removal: bigint('removal', { mode: 'number' }),
  },
  (table) => [
    primaryKey({ columns: [table.organisationId, table.digest] }),
    index('segment_incarnation').on(table.incarnation, table.receivedMs),
    index('segment_due').on(table.dueMs),
    index('segment_removal').on(table.organisationId, table.removal),
  ],
)

/** Records of one node and key in a segment, of these times. */
export interface SegmentOwner {
  nodeId: string | null
  keyId: string | null
  fromMs: number
  toMs: number
  /** Their bodies are metering alone: the gateway knew that no more may be recorded. */
  bare?: true
}

/**
 * The narrow row of a call. Partitioned by day on `time`: retention drops a partition, never rows. An id is a UUIDv7,
 * so its own time says which partition holds it.
 */
export const record = pgTable(
  'record',
  {
    organisationId: organisationId(),
    timeMs: timeMs('time').notNull(),
    id: uuid('id').notNull(),
    environment: text('environment').notNull(),
    gatewayId: uuid('gateway_id').notNull(),
    incarnation: uuid('incarnation').notNull(),
    sequence: bigint('sequence', { mode: 'number' }).notNull(),
    durationMs: doublePrecision('duration_ms').notNull(),
    firstTokenMs: doublePrecision('first_token_ms'),
    keyId: uuid('key_id'),
    nodeId: uuid('node_id'),
    operation: text('operation').$type<RecordRow['operation']>().notNull(),
    dialect: text('dialect').notNull(),
    stream: boolean('stream').notNull(),
    modelRequested: text('model_requested').notNull(),
    target: text('target'),
    provider: text('provider'),
    policy: text('policy'),
    rule: text('rule'),
    effect: text('effect').$type<RecordRow['effect']>().notNull(),
    status: integer('status').notNull(),
    errorCode: text('error_code'),
    truncated: boolean('truncated').notNull(),
    attempts: integer('attempts').notNull(),
    usage: jsonb('usage').$type<RecordRow['usage']>().notNull(),
    /** Of `usage`, for sums: input with cache reads and writes, and output. */
    inputTokens: bigint('input_tokens', { mode: 'number' }).notNull(),
    outputTokens: bigint('output_tokens', { mode: 'number' }).notNull(),
    evidence: text('evidence').$type<RecordRow['evidence']>().notNull(),
    costNanoUsd: bigint('cost_nano_usd', { mode: 'bigint' }),
    metadata: jsonb('metadata').$type<RecordRow['metadata']>().notNull(),
    traceId: text('trace_id'),
    spanId: text('span_id'),
    factsDigest: text('facts_digest'),
    decisionDigest: text('decision_digest'),
    versionDigest: text('version_digest'),
    version: integer('version'),
    arm: text('arm').$type<Arm>(),
    releaseSequence: bigint('release_sequence', { mode: 'number' }),
    stateSequence: bigint('state_sequence', { mode: 'number' }),
    cache: text('cache').$type<RecordRow['cache']>().notNull(),
    /** What an answer of the cache would have cost. */
    savedNanoUsd: bigint('saved_nano_usd', { mode: 'bigint' }),
    identity: boolean('identity').notNull(),
    assembled: boolean('assembled').notNull(),
    /** Made past the gateway, and told afterwards: in no budget, and in no sum of those that were. */
    direct: boolean('direct').notNull().default(false),
    /** Where the body is: the segment, and the byte offset of its line in the unpacked text. */
    segmentDigest: text('segment_digest').notNull(),
    segmentOffset: integer('segment_offset').notNull(),
    segmentLength: integer('segment_length').notNull(),
    /** Hash of the end user, to find his records by; null where the call named none, or he was erased. */
    userHash: text('user_hash'),
  },
  (table) => [
    primaryKey({ columns: [table.id, table.timeMs] }),
    index('record_time').on(table.organisationId, table.timeMs, table.id),
    index('record_key').on(table.organisationId, table.keyId, table.timeMs, table.id),
    index('record_node').on(table.organisationId, table.nodeId, table.timeMs, table.id),
    index('record_target').on(table.organisationId, table.target, table.timeMs, table.id),
    index('record_user').on(table.organisationId, table.userHash, table.timeMs),
  ],
)

/** Records that were lost: sequences `from` to `to` of an incarnation. */
export const recordGap = pgTable(
  'record_gap',
  {
    organisationId: organisationId(),
    environment: text('environment').notNull(),
    gatewayId: uuid('gateway_id').notNull(),
    incarnation: uuid('incarnation').notNull(),
    fromSequence: bigint('from_sequence', { mode: 'number' }).notNull(),
    toSequence: bigint('to_sequence', { mode: 'number' }).notNull(),
    reason: text('reason', { enum: ['overflow', 'disk', 'crash'] }).notNull(),
    segmentDigest: text('segment_digest').notNull(),
    timeMs: timeMs('time').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.incarnation, table.fromSequence] }),
    index('record_gap_time').on(table.organisationId, table.timeMs),
  ],
)
