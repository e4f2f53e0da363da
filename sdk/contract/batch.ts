import { type Static, Type } from 'typebox'
import { Amount, LeaseWish } from './money.ts'
import { Id, Name, TimeMs } from './scalars.ts'

const closed = { additionalProperties: false } as const

/** In whose manner a batch is read. */
export const batchKinds = ['openai', 'anthropic'] as const
export type BatchKind = (typeof batchKinds)[number]
/** How the provider ended a batch; `refused`: it never took it. */
export const batchOutcomes = ['completed', 'failed', 'cancelled', 'expired', 'refused'] as const
export type BatchOutcome = (typeof batchOutcomes)[number]
/** Models that the lines of one batch may name. */
export const batchModelsMax = 64
/** A job keeps one lease of each unit of its budgets. */
export const batchLeasesMax = 4

/** What is needed to meter the lines of a batch long after it was made. */
export const BatchJob = Type.Object(
  {
    batchId: Id,
    /** The record of the call that made it. */
    callId: Id,
    kind: Type.Enum([...batchKinds]),
    connection: Name,
    keyId: Id,
    nodeId: Id,
    /** Path of the operation that its lines are: `/v1/chat/completions`. */
    endpoint: Type.String({ maxLength: 128 }),
    /** As the provider spells them. */
    models: Type.Array(Type.String({ maxLength: 256 }), { maxItems: batchModelsMax }),
    lines: Type.Integer({ minimum: 0, description: 'Lines of its input.' }),
    createdMs: TimeMs,
  },
  closed,
)
export type BatchJob = Static<typeof BatchJob>

/** What a batch keeps of one set of budgets. */
export const BatchWish = Type.Object({ ...LeaseWish.properties, unit: Type.Enum(['usd', 'tokens']) }, closed)
export type BatchWish = Static<typeof BatchWish>

/** A job that one gateway looks after for a while. */
export const ClaimedBatch = Type.Object(
  {
    job: BatchJob,
    /** The provider's id. */
    providerId: Type.String({ maxLength: 256 }),
    leases: Type.Array(Type.Object({ leaseId: Id, unit: Type.Enum(['usd', 'tokens']) }, closed)),
  },
  closed,
)
export type ClaimedBatch = Static<typeof ClaimedBatch>

/** News of a job. */
export const BatchChange = Type.Union([
  Type.Object(
    { type: Type.Literal('started'), providerId: Type.String({ minLength: 1, maxLength: 256 }) },
    { ...closed, description: 'The provider took it.' },
  ),
  Type.Object(
    { type: Type.Literal('running'), againInMs: Type.Integer({ minimum: 0, maximum: 86_400_000 }) },
    { ...closed, description: 'It is not over yet, or could not be looked at; its claim ends.' },
  ),
  Type.Object(
    { type: Type.Literal('metering') },
    { ...closed, description: 'Its results are being read; its claim lasts anew.' },
  ),
  Type.Object(
    {
      type: Type.Literal('ended'),
      outcome: Type.Enum([...batchOutcomes]),
      /** What all its lines came to, by lease. */
      settled: Type.Array(Type.Object({ leaseId: Id, amount: Amount }, closed), {
        maxItems: batchLeasesMax,
      }),
      metered: Type.Integer({ minimum: 0, description: 'Lines with a result.' }),
    },
    { ...closed, description: 'Every line is metered; what it kept is settled.' },
  ),
])
export type BatchChange = Static<typeof BatchChange>

/** Which line of which batch a record is of. */
export const RecordedBatch = Type.Object(
  {
    batchId: Id,
    callId: Type.String({ maxLength: 64, description: 'The call that made the batch.' }),
    providerId: Type.String({ maxLength: 256, description: "The provider's id of the batch." }),
    line: Type.String({ maxLength: 256, description: 'The `custom_id` of the line.' }),
  },
  { ...closed, description: 'The line of a batch that this is; absent for calls.' },
)
