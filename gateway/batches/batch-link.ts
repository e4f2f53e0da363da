import type { BodyOf, batchOperations, ReplyOf } from '@signalbox/sdk/contract'

type Operations = typeof batchOperations
export type OpenBatchBody = BodyOf<Operations['gatewayOpenBatch']>
export type OpenBatchReply = ReplyOf<Operations['gatewayOpenBatch']>
export type ClaimBody = BodyOf<Operations['gatewayClaimBatches']>
export type ClaimReply = ReplyOf<Operations['gatewayClaimBatches']>
export type TellBody = BodyOf<Operations['gatewayTellBatch']>
export type TellReply = ReplyOf<Operations['gatewayTellBatch']>

/** The control plane, as it is told and asked of batches. All three may be repeated. */
export interface BatchLink {
  openBatch(body: OpenBatchBody, signal: AbortSignal): Promise<OpenBatchReply>
  claimBatches(body: ClaimBody, signal: AbortSignal): Promise<ClaimReply>
  tellBatch(body: TellBody, signal: AbortSignal): Promise<TellReply>
}
