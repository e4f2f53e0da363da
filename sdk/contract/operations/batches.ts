import { Type } from 'typebox'
import { BatchChange, BatchJob, BatchWish, batchLeasesMax, ClaimedBatch } from '../batch.ts'
import { LeaseAnswer, SettlementReport, settlementsPerReportMax } from '../money.ts'
import { defineOperation } from '../operation.ts'
import { Id } from '../scalars.ts'

const closed = { additionalProperties: false } as const
/** Jobs that a gateway asks for at once. */
export const batchesPerClaimMax = 8

/** Batches as jobs: what each may cost is kept from its start to its end, whichever gateway sees that. */
export const batchOperations = {
  gatewayOpenBatch: defineOperation({
    id: 'gatewayOpenBatch',
    method: 'POST',
    path: '/v1/gateway/batches',
    role: 'gateway',
    summary:
      'A batch is about to be made: deducts what it may cost from all its budgets, all or nothing. Idempotent by id.',
    body: Type.Object(
      { incarnation: Id, job: BatchJob, wishes: Type.Array(BatchWish, { maxItems: batchLeasesMax }) },
      closed,
    ),
    reply: Type.Object({ opened: Type.Boolean(), leases: Type.Array(LeaseAnswer) }, closed),
    errors: ['conflict', 'invalid_request'],
  }),
  gatewayClaimBatches: defineOperation({
    id: 'gatewayClaimBatches',
    method: 'POST',
    path: '/v1/gateway/batches/claims',
    role: 'gateway',
    summary: 'Takes jobs that are due, or the named ones, for five minutes: one gateway looks after each.',
    body: Type.Object(
      {
        incarnation: Id,
        max: Type.Integer({ minimum: 1, maximum: batchesPerClaimMax }),
        providerIds: Type.Optional(
          Type.Array(Type.String({ maxLength: 256 }), { maxItems: batchesPerClaimMax }),
        ),
      },
      closed,
    ),
    reply: Type.Object(
      {
        batches: Type.Array(ClaimedBatch),
        elsewhere: Type.Boolean({ description: 'A named job is looked after by another gateway.' }),
      },
      closed,
    ),
    errors: [],
  }),
  gatewayTellBatch: defineOperation({
    id: 'gatewayTellBatch',
    method: 'POST',
    path: '/v1/gateway/batches/changes',
    role: 'gateway',
    summary:
      'News of a job, and lines of it that were metered. Idempotent; what is told of an ended one changes nothing.',
    body: Type.Object(
      {
        incarnation: Id,
        batchId: Id,
        change: BatchChange,
        settlements: Type.Array(SettlementReport, { maxItems: settlementsPerReportMax }),
      },
      closed,
    ),
    reply: Type.Object(
      { held: Type.Boolean({ description: 'False where the job is another gateway’s, or over.' }) },
      closed,
    ),
    errors: ['not_found', 'invalid_request'],
  }),
} as const
