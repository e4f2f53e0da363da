import type { BodyOf, moneyOperations, ReplyOf } from '@signalbox/sdk/contract'

export type LeaseBody = BodyOf<(typeof moneyOperations)['gatewayLease']>
export type LeaseReply = ReplyOf<(typeof moneyOperations)['gatewayLease']>
export type SettleBody = BodyOf<(typeof moneyOperations)['gatewaySettle']>
export type SettleReply = ReplyOf<(typeof moneyOperations)['gatewaySettle']>

/** The ledger, as a gateway asks it. Both operations may be repeated; a reply that was lost does no harm. */
export interface LedgerLink {
  lease(body: LeaseBody, signal: AbortSignal): Promise<LeaseReply>
  settle(body: SettleBody, signal: AbortSignal): Promise<SettleReply>
}
