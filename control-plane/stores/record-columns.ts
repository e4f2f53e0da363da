import type { RecordRow } from '@signalbox/sdk/contract'
import type { record } from '../db/schema.ts'

export type StoredRecord = typeof record.$inferSelect
/** A record as it comes from a segment, with what the token of its gateway says, and where its line is. */
export interface NewRecord {
  readonly row: RecordRow
  readonly segmentDigest: string
  readonly segmentOffset: number
  readonly segmentLength: number
  /** Of the end user; undefined where the call named none. */
  readonly userHash: string | undefined
}

/** Columns of `record` in the order they are written, with their types in the database. */
export const recordColumns = {
  organisation_id: 'uuid',
  time: 'timestamptz',
  id: 'uuid',
  environment: 'text',
  gateway_id: 'uuid',
  incarnation: 'uuid',
  sequence: 'bigint',
  duration_ms: 'float8',
  first_token_ms: 'float8',
  key_id: 'uuid',
  node_id: 'uuid',
  operation: 'text',
  dialect: 'text',
  stream: 'boolean',
  model_requested: 'text',
  target: 'text',
  provider: 'text',
  policy: 'text',
  rule: 'text',
  effect: 'text',
  status: 'integer',
  error_code: 'text',
  truncated: 'boolean',
  attempts: 'integer',
  usage: 'jsonb',
  input_tokens: 'bigint',
  output_tokens: 'bigint',
  evidence: 'text',
  cost_nano_usd: 'bigint',
  metadata: 'jsonb',
  trace_id: 'text',
  span_id: 'text',
  facts_digest: 'text',
  decision_digest: 'text',
  version_digest: 'text',
  version: 'integer',
  arm: 'text',
  release_sequence: 'bigint',
  state_sequence: 'bigint',
  cache: 'text',
  saved_nano_usd: 'bigint',
  identity: 'boolean',
  assembled: 'boolean',
  direct: 'boolean',
  segment_digest: 'text',
  segment_offset: 'integer',
  segment_length: 'integer',
  user_hash: 'text',
} as const
type ColumnName = keyof typeof recordColumns

/** Input of a call with what came from a cache or went into one. */
export function inputTokensOf(usage: RecordRow['usage']): number {
  const { input = 0, cacheRead = 0, cacheWrite5m = 0, cacheWrite1h = 0 } = usage
  return input + cacheRead + cacheWrite5m + cacheWrite1h
}

/** The column values of a record; members that are missing become null. */
export function encodeRecord(record: NewRecord): Record<ColumnName, unknown> {
  const { row } = record
  return {
    organisation_id: row.organisationId,
    time: new Date(row.timeMs).toISOString(),
    id: row.id,
    environment: row.environment,
    gateway_id: row.gatewayId,
    incarnation: row.incarnation,
    sequence: row.sequence,
    duration_ms: row.durationMs,
    first_token_ms: row.firstTokenMs,
    key_id: row.keyId,
    node_id: row.nodeId,
    operation: row.operation,
    dialect: row.dialect,
    stream: row.stream,
    model_requested: row.modelRequested,
    target: row.target,
    provider: row.provider,
    policy: row.policy,
    rule: row.rule,
    effect: row.effect,
    status: row.status,
    error_code: row.errorCode,
    truncated: row.truncated,
    attempts: row.attempts,
    usage: row.usage,
    input_tokens: inputTokensOf(row.usage),
    output_tokens: row.usage.output ?? 0,
    evidence: row.evidence,
    cost_nano_usd: row.costNanoUsd,
    metadata: row.metadata,
    trace_id: row.traceId,
    span_id: row.spanId,
    facts_digest: row.factsDigest,
    decision_digest: row.decisionDigest,
    version_digest: row.versionDigest,
    version: row.version,
    arm: row.arm,
    release_sequence: row.releaseSequence,
    state_sequence: row.stateSequence,
    cache: row.cache,
    saved_nano_usd: row.savedNanoUsd,
    identity: row.identity,
    assembled: row.assembled,
    direct: row.direct ?? false,
    segment_digest: record.segmentDigest,
    segment_offset: record.segmentOffset,
    segment_length: record.segmentLength,
    user_hash: record.userHash,
  }
}

/** Members that are null in the database are left out of the contract's row. */
type Optional = {
  [K in Exclude<keyof RecordRow, 'direct'> as undefined extends RecordRow[K] ? K : never]: RecordRow[K] | null
}

function withoutNulls(members: Required<Optional>): Partial<RecordRow> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null))
}

/** The contract's row of a stored record. */
export function decodeRecord(stored: StoredRecord): RecordRow {
  return {
    id: stored.id,
    organisationId: stored.organisationId,
    environment: stored.environment,
    gatewayId: stored.gatewayId,
    incarnation: stored.incarnation,
    sequence: stored.sequence,
    timeMs: stored.timeMs,
    durationMs: stored.durationMs,
    operation: stored.operation,
    dialect: stored.dialect,
    stream: stored.stream,
    modelRequested: stored.modelRequested,
    effect: stored.effect,
    status: stored.status,
    truncated: stored.truncated,
    attempts: stored.attempts,
    usage: stored.usage,
    evidence: stored.evidence,
    metadata: stored.metadata,
    cache: stored.cache,
    identity: stored.identity,
    assembled: stored.assembled,
    ...(stored.direct && { direct: true }),
    ...withoutNulls({
      firstTokenMs: stored.firstTokenMs,
      keyId: stored.keyId,
      nodeId: stored.nodeId,
      target: stored.target,
      provider: stored.provider,
      policy: stored.policy,
      rule: stored.rule,
      errorCode: stored.errorCode,
      costNanoUsd: stored.costNanoUsd === null ? null : String(stored.costNanoUsd),
      savedNanoUsd: stored.savedNanoUsd === null ? null : String(stored.savedNanoUsd),
      traceId: stored.traceId,
      spanId: stored.spanId,
      factsDigest: stored.factsDigest,
      decisionDigest: stored.decisionDigest,
      versionDigest: stored.versionDigest,
      version: stored.version,
      arm: stored.arm,
      releaseSequence: stored.releaseSequence,
      stateSequence: stored.stateSequence,
    }),
  }
}
