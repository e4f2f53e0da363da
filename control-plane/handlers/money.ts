import { type moneyOperations, Refusal } from '@signalbox/sdk/contract'
import { validate as isUuid } from 'uuid'
import type { Database } from '../db/connect.ts'
import type { Handlers, RequestContext } from '../handler.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { putAside } from '../ledger/refused-reports.ts'
import type { Clock } from '../stores/ledger-book.ts'

/** @throws Refusal `invalid_request` that names the member. */
function requireUuids(param: string, ids: readonly string[]): void {
  const wrong = ids.find((id) => !isUuid(id))
  if (wrong === undefined) return
  throw new Refusal('invalid_request', { message: `"${wrong.slice(0, 64)}" is no UUID.`, param })
}

function gatewayOf({ organisationId, caller }: RequestContext): {
  organisationId: string
  gatewayId: string
} {
  // Operations of role `gateway` are served to gateways alone.
  if (caller.kind !== 'gateway') throw new Refusal('forbidden')
  return { organisationId, gatewayId: caller.id }
}

/** How gateways take money, and say what became of it. */
export function createMoneyHandlers({
  ledger,
  db,
  clock,
}: {
  readonly ledger: Ledger
  readonly db: Database
  readonly clock: Clock
}): Handlers<typeof moneyOperations> {
  return {
    async gatewayLease(context, { body }) {
      requireUuids('incarnation', [body.incarnation])
      requireUuids(
        'wishes',
        body.wishes.flatMap(({ leaseId, budgets }) => [leaseId, ...budgets]),
      )
      return await ledger.grant({ ...gatewayOf(context), body })
    },
    async gatewaySettle(context, { body }) {
      requireUuids('incarnation', [body.incarnation])
      requireUuids(
        'leases',
        body.leases.map(({ leaseId }) => leaseId),
      )
      requireUuids(
        'settlements',
        body.settlements.flatMap(({ callId, leaseId }) => [callId, leaseId]),
      )
      return await ledger.settle({ ...gatewayOf(context), body })
    },
    async gatewayPutAside(context, { body: { reports } }) {
      requireUuids(
        'reports',
        reports.map(({ id }) => id),
      )
      const from = { ...gatewayOf(context), clock }
      return { kept: await db.transaction((tx) => putAside(tx, from, reports)) }
    },
  }
}
