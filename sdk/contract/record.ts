import { type Static, Type } from 'typebox'
import { RecordedBatch } from './batch.ts'
import { Decision, errorClasses, PolicyResult } from './decision.ts'
import { drillFaults } from './drill.ts'
import { Facts, MetadataValue, operations, RemainingPpm } from './facts.ts'
import { FactsClassSchema } from './facts-class.ts'
import { Verdict } from './guardrail-verdict.ts'
import { ParamValue } from './param-value.ts'
import { AttemptPurpose, RecordedError, RecordedHit, RecordedPrompt } from './recorded.ts'
import { arms, rolloutShape } from './rollout.ts'
import { Digest, EnvironmentName, Id, NanoUsd, NanoUsdInteger, Ppm, TimeMs, Usage } from './scalars.ts'

const closed = { additionalProperties: false } as const
const short = (maxLength = 256) => Type.String({ maxLength })

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

/** Why another attempt was made. */
export const attemptCauses = ['retry', 'fallback', 'hedge', 'onErrorClass', 'step'] as const

/** What an attempt kept of the budgets it was under, and what was taken of it. */
export const AttemptHold = Type.Object(
  {
    kind: Type.Enum(['full', 'growing', 'clamped', 'expected']),
    heldNanoUsd: NanoUsd,
    settledNanoUsd: Type.Optional(NanoUsd),
    evidence: Type.Enum(['reported', 'estimated', 'hold', 'none']),
    outputTokensMax: Type.Optional(Type.Integer({ minimum: 0, description: 'The limit it was clamped to.' })),
    leases: Type.Array(Id, { maxItems: 64 }),
    priceDigest: Type.Optional(Digest),
    wouldRefuse: Type.Optional(
      Type.Array(Id, { maxItems: 64, description: 'Shadow budgets that would have refused.' }),
    ),
  },
  closed,
)
export type AttemptHold = Static<typeof AttemptHold>

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
    hold: Type.Optional(AttemptHold),
    guardrail: Type.Optional(
      Type.String({
        maxLength: 128,
        description: 'Guardrail that it was made for; none for the answer itself.',
      }),
    ),
    purpose: Type.Optional(AttemptPurpose),
    bytesIn: Type.Integer({ minimum: 0, description: 'Bytes the upstream sent.' }),
    winner: Type.Boolean(),
    cause: Type.Optional(
      Type.Enum([...attemptCauses], { description: 'Why it was made; absent for the first of a call.' }),
    ),
    errorClass: Type.Optional(
      Type.Enum([...errorClasses, 'invalid'], { description: 'Of what class its failure was.' }),
    ),
    step: Type.Optional(Type.String({ maxLength: 64, description: 'Step of a pipeline that it was for.' })),
    drill: Type.Optional(
      Type.Enum([...drillFaults], { description: 'The fault that a drill put in place of the target.' }),
    ),
  },
  closed,
)
export type Attempt = Static<typeof Attempt>

/** How a target looked when a selection was made: all that a strategy may go by. */
export const TargetSight = Type.Object(
  {
    target: short(),
    state: Type.Enum(['up', 'degraded', 'down', 'unavailable']),
    reason: Type.Optional(Type.String({ maxLength: 128, description: 'Why it is not up.' })),
    unfit: Type.Optional(
      Type.String({ maxLength: 128, description: 'What the call asks and it cannot do.' }),
    ),
    errorPpm: Type.Optional(Ppm),
    sharePpm: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 1_000_000,
        description: 'Of the calls, how many a target that is coming back may have.',
      }),
    ),
    firstTokenMs: Type.Optional(Type.Integer({ minimum: 0 })),
    tokenUs: Type.Optional(Type.Integer({ minimum: 0, description: 'Per token of output.' })),
    remainingPpm: Type.Optional(RemainingPpm),
    running: Type.Optional(
      Type.Integer({ minimum: 0, description: 'Calls of this gateway that it serves.' }),
    ),
    costNanoUsd: Type.Optional(NanoUsdInteger),
  },
  closed,
)
export type TargetSight = Static<typeof TargetSight>
/** What a `sticky` node, or a `weighted` one by `stickyKey`, goes by. */
export const affinityKinds = ['stickyKey', 'session', 'user', 'prompt'] as const
export type AffinityKind = (typeof affinityKinds)[number]
const Hash = Type.Integer({ minimum: 0, maximum: 4_294_967_295 })
export const Affinity = Type.Partial(
  Type.Object({ stickyKey: Hash, session: Hash, user: Hash, prompt: Hash }, closed),
  { description: 'Hashes of what stays with a target; only those that the plan goes by.' },
)
export type Affinity = Static<typeof Affinity>

/** What the host picked inside the plan, and from what. Replays from tree, seed, health and affinity. */
export const Selection = Type.Object(
  {
    seed: Type.Integer({ minimum: 0 }),
    order: Type.Array(short(), { maxItems: 64, description: 'Targets in the order they would be tried.' }),
    skipped: Type.Array(Type.Object({ target: short(), reason: short(128) }, closed), {
      maxItems: 64,
      description: 'Targets passed over, and why.',
    }),
    health: Type.Optional(
      Type.Array(TargetSight, {
        maxItems: 64,
        description: 'Absent where all targets were up, and only their order in the plan counted.',
      }),
    ),
    affinity: Type.Optional(Affinity),
    wished: Type.Optional(
      Type.Array(short(), {
        maxItems: 64,
        description: 'Of the order, what the caller wanted, as he wanted it; absent where that was the same.',
      }),
    ),
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
    arm: Type.Optional(Type.Enum([...arms], { description: 'Where a rollout ran: who decided.' })),
    releaseSequence: Type.Optional(Type.Integer({ minimum: 1 })),
    stateSequence: Type.Optional(Type.Integer({ minimum: 1 })),
    cache: Type.Enum(['hit', 'miss', 'off']),
    savedNanoUsd: Type.Optional(NanoUsd),
    identity: Type.Boolean({ description: "The caller got the upstream's own bytes." }),
    assembled: Type.Boolean(),
    direct: Type.Optional(
      Type.Literal(true, {
        description:
          'Made past the gateway while it was away, and told by the caller afterwards; in no budget.',
      }),
    ),
  },
  closed,
)
export type RecordRow = Static<typeof RecordRow>

export const RecordBody = Type.Object(
  {
    factsClass: FactsClassSchema,
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
    prompt: Type.Optional(RecordedPrompt),
    policies: Type.Array(PolicyResult),
    fuel: Type.Integer({ minimum: 0 }),
    evaluationUs: Type.Number({ minimum: 0 }),
    ...rolloutShape,
    selection: Type.Optional(Selection),
    attempts: Type.Array(Attempt),
    verdicts: Type.Array(Verdict),
    limits: Type.Optional(
      Type.Object(
        {
          refusedBy: Type.Optional(Id),
          wouldRefuse: Type.Optional(
            Type.Array(Id, { maxItems: 64, description: 'Shadow limits that would have refused.' }),
          ),
        },
        { ...closed, description: 'What rate limits said of the call, where they said anything.' },
      ),
    ),
    cached: Type.Optional(RecordedHit),
    batch: Type.Optional(RecordedBatch),
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
