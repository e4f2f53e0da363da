import type { Call } from '../call.ts'
import type { GatewayParts } from '../parts.ts'

/** The provider's id of the batch that a call is about; undefined where it is about none. */
function batchOf({ operation, native, stored }: Call): string | undefined {
  return operation === 'batches' && native?.job === undefined ? stored?.[0]?.id : undefined
}

/** A caller has read a batch, its results, or has cancelled it: where it is over it is metered at once. */
export function noteLook(call: Call, { batches }: GatewayParts): void {
  const id = batches === undefined ? undefined : batchOf(call)
  if (id !== undefined && call.native?.forgets === undefined) batches?.wake(id)
}

/** Before a batch is deleted its results are metered, as long as they are there. */
export function settleFirst(call: Call, { batches }: GatewayParts): Promise<void> | undefined {
  if (batches === undefined || call.native?.forgets === undefined) return undefined
  const id = batchOf(call)
  return id === undefined ? undefined : batches.settle(id)
}
