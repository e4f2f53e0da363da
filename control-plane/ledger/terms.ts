import type { BodyOf, moneyOperations, ReplyOf, WindowBalance } from '@signalbox/sdk/contract'
import type { Database } from '../db/connect.ts'
import type { Clock, OpenWindow } from '../stores/ledger-book.ts'

export interface LedgerTools {
  readonly db: Database
  /** The clock that windows and leases go by: the database's. */
  readonly clock: Clock
}
/** A request of a gateway. */
export interface FromGateway<Body> {
  readonly organisationId: string
  readonly gatewayId: string
  readonly body: Body
}
export type LeaseRequest = FromGateway<BodyOf<(typeof moneyOperations)['gatewayLease']>>
export type LeaseReply = ReplyOf<(typeof moneyOperations)['gatewayLease']>
export type SettleRequest = FromGateway<BodyOf<(typeof moneyOperations)['gatewaySettle']>>
export type SettleReply = ReplyOf<(typeof moneyOperations)['gatewaySettle']>

/**
 * For so long a lease is its holder's without a word from it. Long against its reports (one a second), since what
 * expires is stranded; safety does not hang on it.
 */
export const leaseTtlMs = 60_000
/** Most that one lease may hold: a million dollars, or as many tokens. */
export const leaseAmountMax = 10n ** 15n

/** What a window says to gateways. */
export function describeWindow(window: OpenWindow, asOfMs: number): WindowBalance {
  const { budgetId, startMs, endMs, limit, settled, leased, stranded, overrun } = window
  const sums = {
    limit: String(limit),
    settled: String(settled),
    leased: String(leased),
    stranded: String(stranded),
    overrun: String(overrun),
  }
  return { budgetId, startMs, endMs, ...sums, asOfMs }
}

/** A result, or the refusal of one item in a batch whose others stand. */
export type Outcome<T> = { readonly reply: T } | { readonly refusal: Error }
