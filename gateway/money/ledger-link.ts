import type { BodyOf, moneyOperations, ReplyOf } from '@signalbox/sdk/contract'

export type LeaseBody = BodyOf<(typeof moneyOperations)['gatewayLease']>
export type LeaseReply = ReplyOf<(typeof moneyOperations)['gatewayLease']>
export type SettleBody = BodyOf<(typeof moneyOperations)['gatewaySettle']>
export type SettleReply = ReplyOf<(typeof moneyOperations)['gatewaySettle']>

/** Whether the ledger has heard a request and refuses it: asking again would change nothing. */
export function isRefused(error: unknown): boolean {
  const status = error instanceof Error && 'status' in error ? Number(error.status) : 0
  return status >= 400 && status < 500 && status !== 408 && status !== 429
}

/** The ledger, as a gateway asks it. Both operations may be repeated; a reply that was lost does no harm. */
export interface LedgerLink {
  lease(body: LeaseBody, signal: AbortSignal): Promise<LeaseReply>
  settle(body: SettleBody, signal: AbortSignal): Promise<SettleReply>
}
