import { type Static, Type } from 'typebox'
import { Decision, PolicyResult } from './decision.ts'
import { Facts, MetadataValue, operations } from './facts.ts'
import { Digest, EnvironmentName, Id, NanoUsd, TimeMs, Usage } from './scalars.ts'

const closed = { additionalProperties: false } as const
const short = (maxLength = 256) => Type.String({ maxLength })

/** Value of a param. */
const ParamValue = Type.Union([
  ...MetadataValue.anyOf,
  Type.Unsafe<readonly string[]>(Type.Array(Type.String({ maxLength: 256 }), { maxItems: 64 })),
])

/** How an attempt ended. `ok`: a whole answer. */
export const attemptOutcomes = [
  'ok',
  'cut',
  'error',
  'timeout',
  'reset',
  'unavailable',
  'aborted',
  'invalid',
] as const

export const Attempt = Type.Object(
  {
    index: Type.Integer({ minimum: 0 }),
    target: short(),
    provider: short(64),
    model: short(),
    startMs: TimeMs,
    durationMs: Type.Number({ minimum: 0 }),
    firstByteMs: Type.Optional(Type.Number({ minimum: 0 })),
    status: Type.Optional(Type.Integer()),
    outcome: Type.Enum([...attemptOutcomes]),
    errorCode: Type.Optional(short(64)),
    upstreamRequestId: Type.Optional(short()),
    usage: Type.Optional(Usage),
    evidence: Type.Enum(['reported', 'estimated', 'hold', 'none']),
    costNanoUsd: Type.Optional(NanoUsd),
    finish: Type.Optional(short(64)),
    prompt: Type.Optional(
      Type.Object(
        { name: short(128), digest: Digest },
        { ...closed, description: 'Prompt that was put before the conversation.' },
      ),
    ),
    bytesIn: Type.Integer({ minimum: 0, description: 'Bytes the upstream sent.' }),
    winner: Type.Boolean(),
  },
  closed,
)
export type Attempt = Static<typeof Attempt>

/** What the host picked inside the plan, and from what. Replays from tree, seed and health. */
export const Selection = Type.Object(
  {
    seed: Type.Integer({ minimum: 0 }),
    order: Type.Array(short(), { maxItems: 64, description: 'Targets in the order they would be tried.' }),
    skipped: Type.Array(Type.Object({ target: short(), reason: short(128) }, closed), {
      maxItems: 64,
      description: 'Targets passed over, and why.',
    }),
  },
  closed,
)
export type Selection = Static<typeof Selection>

/** The narrow row of a record: what searches and sums work on. */
export const RecordRow = Type.Object(
  {
    id: Id,
    organisationId: Id,
    environment: EnvironmentName,
    gatewayId: Id,
    incarnation: Id,
    sequence: Type.Integer({ minimum: 1, description: 'Counts up by one per incarnation; a hole is a gap.' }),
    timeMs: TimeMs,
    durationMs: Type.Number({ minimum: 0 }),
    firstTokenMs: Type.Optional(Type.Number({ minimum: 0 })),
    keyId: Type.Optional(Id),
    nodeId: Type.Optional(Id),
    operation: Type.Enum([...operations]),
    dialect: short(32),
    stream: Type.Boolean(),
    modelRequested: short(),
    target: Type.Optional(short()),
    provider: Type.Optional(short(64)),
    policy: Type.Optional(short(128)),
    rule: Type.Optional(short(128)),
    effect: Type.Enum(['allow', 'deny', 'error', 'none']),
    status: Type.Integer({ description: 'HTTP status the caller saw.' }),
    errorCode: Type.Optional(short(64)),
    truncated: Type.Boolean({ description: 'The upstream ended before its answer did.' }),
    attempts: Type.Integer({ minimum: 0 }),
    usage: Usage,
    evidence: Type.Enum(['reported', 'estimated', 'hold', 'none']),
    costNanoUsd: Type.Optional(NanoUsd),
    metadata: Type.Record(short(64), MetadataValue),
    traceId: Type.Optional(short(32)),
    spanId: Type.Optional(short(16)),
    factsDigest: Type.Optional(Digest),
    decisionDigest: Type.Optional(Digest),
    versionDigest: Type.Optional(Digest),
    version: Type.Optional(Type.Integer({ minimum: 1 })),
    releaseSequence: Type.Optional(Type.Integer({ minimum: 1 })),
    stateSequence: Type.Optional(Type.Integer({ minimum: 1 })),
    cache: Type.Enum(['hit', 'miss', 'off']),
    identity: Type.Boolean({ description: "The caller got the upstream's own bytes." }),
    assembled: Type.Boolean(),
  },
  closed,
)
export type RecordRow = Static<typeof RecordRow>

/** What the caller was told, and in `detail` what only operators read. */
export const RecordedError = Type.Object(
  { code: short(64), message: short(512), detail: Type.Optional(short(2048)) },
  closed,
)

export const RecordBody = Type.Object(
  {
    factsClass: Type.Enum(['full', 'masked', 'digest']),
    facts: Type.Optional(Facts),
    masked: Type.Optional(
      Type.Array(short(), {
        maxItems: 64,
        description:
          'Paths of facts that were taken out after the decision; what stands there now was not read.',
      }),
    ),
    params: Type.Optional(
      Type.Record(short(64), Type.Record(short(64), ParamValue), {
        description:
          'Values of params that the policies read, by workspace, where they are not the defaults.',
      }),
    ),
    decision: Type.Optional(Decision),
    policies: Type.Array(PolicyResult),
    fuel: Type.Integer({ minimum: 0 }),
    evaluationUs: Type.Number({ minimum: 0 }),
    selection: Type.Optional(Selection),
    attempts: Type.Array(Attempt),
    verdicts: Type.Array(Type.Unknown()),
    dropped: Type.Array(short(), {
      description: 'Paths that could not be carried; answer ones with `response.`.',
    }),
    undeclaredMetadata: Type.Array(short(64), {
      description: 'Names of metadata members that are not declared.',
    }),
    error: Type.Optional(RecordedError),
    text: Type.Object(
      { received: Type.Integer({ minimum: 0 }), delivered: Type.Integer({ minimum: 0 }) },
      { ...closed, description: 'Bytes of answer metered from the upstream and sent to the caller.' },
    ),
  },
  closed,
)
export type RecordBody = Static<typeof RecordBody>

/** One line of a segment. */
export const CallRecord = Type.Object({ row: RecordRow, body: RecordBody }, closed)
export type CallRecord = Static<typeof CallRecord>

/** Records that were lost: sequences `from` to `to` of an incarnation. Stands in a segment in place of them. */
export const GapRecord = Type.Object(
  {
    gap: Type.Object(
      {
        incarnation: Id,
        from: Type.Integer({ minimum: 1 }),
        to: Type.Integer({ minimum: 1 }),
        reason: Type.Enum(['overflow', 'disk', 'crash']),
      },
      closed,
    ),
  },
  closed,
)
export type GapRecord = Static<typeof GapRecord>

/** A segment holds at most this many records: NDJSON, zstd, named by the SHA-256 of its compressed bytes. */
export const segmentRecordsMax = 1000
export const segmentBytesMax = 16 * 1024 * 1024
