import { type batchOperations, Refusal } from '@signalbox/sdk/contract'
import { validate as isUuid } from 'uuid'
import type { Handlers, RequestContext } from '../handler.ts'
import { type FromBatchGateway, openBatch, tellBatch } from '../ledger/batch-jobs.ts'
import type { LedgerTools } from '../ledger/terms.ts'
import { claimBatches, isElsewhere, sweepBatches } from '../stores/batches.ts'

function gatewayOf({ organisationId, caller }: RequestContext): FromBatchGateway {
  // Operations of role `gateway` are served to gateways alone.
  if (caller.kind !== 'gateway') throw new Refusal('forbidden')
  return { organisationId, environment: caller.environment, gatewayId: caller.id }
}

/** @throws Refusal `invalid_request` that names the member. */
function requireUuids(param: string, ids: readonly string[]): void {
  const wrong = ids.find((id) => !isUuid(id))
  if (wrong === undefined) return
  throw new Refusal('invalid_request', { message: `"${wrong.slice(0, 64)}" is no UUID.`, param })
}

/** How gateways share the batches that providers work on. */
export function createBatchHandlers(tools: LedgerTools): Handlers<typeof batchOperations> {
  return {
    async gatewayOpenBatch(context, { body }) {
      const { incarnation, job, wishes } = body
      requireUuids('incarnation', [incarnation])
      requireUuids('job', [job.batchId, job.callId, job.nodeId])
      requireUuids(
        'wishes',
        wishes.flatMap(({ leaseId, budgets }) => [leaseId, ...budgets]),
      )
      const opened = await openBatch(tools, gatewayOf(context), body)
      await sweepBatches(tools.db, await tools.clock(tools.db))
      return opened
    },
    async gatewayClaimBatches(context, { body: { incarnation: holder, max, providerIds } }) {
      requireUuids('incarnation', [holder])
      const nowMs = await tools.clock(tools.db)
      const wanted = { holder, nowMs, max, ...(providerIds !== undefined && { providerIds }) }
      const scope = gatewayOf(context)
      const rows = await claimBatches(tools.db, scope, wanted)
      const elsewhere =
        providerIds !== undefined && (await isElsewhere(tools.db, scope, { holder, providerIds }))
      return {
        elsewhere,
        batches: rows.map(({ job, leases, providerId }) => ({ job, leases, providerId: providerId ?? '' })),
      }
    },
    async gatewayTellBatch(context, { body }) {
      requireUuids('incarnation', [body.incarnation, body.batchId])
      const { change } = body
      if (change.type === 'ended') {
        requireUuids(
          'change',
          change.settled.map(({ leaseId }) => leaseId),
        )
      }
      requireUuids(
        'settlements',
        body.settlements.flatMap(({ callId, leaseId }) => [callId, leaseId]),
      )
      return await tellBatch(tools, gatewayOf(context), body)
    },
  }
}
