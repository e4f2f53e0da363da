import { type BodyOf, bodyViolation, moneyOperations, type ReplyOf } from '@signalbox/sdk/contract'
import { fits } from '@signalbox/sdk/node'

export type LeaseBody = BodyOf<(typeof moneyOperations)['gatewayLease']>
export type LeaseReply = ReplyOf<(typeof moneyOperations)['gatewayLease']>
export type SettleBody = BodyOf<(typeof moneyOperations)['gatewaySettle']>
export type SettleReply = ReplyOf<(typeof moneyOperations)['gatewaySettle']>

/** Whether the ledger has heard a request and refuses it: asking again would change nothing. */
export function isRefused(error: unknown): boolean {
  const status = statusOf(error)
  return status >= 400 && status < 500 && status !== 408 && status !== 429
}

/** Where leases stand and what was settled, of one run. */
export type Report = Pick<SettleBody, 'leases' | 'settlements'>
export type PutAsideBody = BodyOf<(typeof moneyOperations)['gatewayPutAside']>

/** What the ledger says of a report that it will never take, and of one that it fails on. */
const refusedStatuses = new Set([400, 409, 413, 422, 500])

function statusOf(error: unknown): number {
  return error instanceof Error && 'status' in error ? Number(error.status) : 0
}

/** Whether the ledger has read a report and does not take it. A gateway that is not let in was not read. */
export function isReportRefused(error: unknown): boolean {
  return refusedStatuses.has(statusOf(error))
}

/** The ledger failed: on this report, or on any. */
export function isLedgersFault(error: unknown): boolean {
  return statusOf(error) === 500
}

/** What the ledger says of a request besides its status, where it says something. */
const saidBy = (error: unknown): string =>
  error instanceof Error && 'said' in error && typeof error.said === 'string' ? error.said : ''

/**
 * Whether the ledger does not know the form of a report, although it is right by the contract that this program is of:
 * the ledger's is another version.
 */
export function isNotUnderstood(error: unknown, body: SettleBody): boolean {
  return (
    statusOf(error) === 400 &&
    saidBy(error).startsWith(bodyViolation) &&
    fits(moneyOperations.gatewaySettle.body, body)
  )
}

/** The ledger, as a gateway asks it. All operations may be repeated; a reply that was lost does no harm. */
export interface LedgerLink {
  lease(body: LeaseBody, signal: AbortSignal): Promise<LeaseReply>
  settle(body: SettleBody, signal: AbortSignal): Promise<SettleReply>
  /** Keeps reports that `settle` refuses for good. */
  putAside(body: PutAsideBody, signal: AbortSignal): Promise<unknown>
}
