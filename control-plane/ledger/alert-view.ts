import type { budgetOperations, ReplyOf } from '@signalbox/sdk/contract'
import type { Queryable } from '../db/connect.ts'
import { listAlerts } from '../stores/budget-explain.ts'
import { placeBudgets } from '../stores/budgets.ts'
import { loadDeliveries } from '../stores/webhooks.ts'

type AlertView = ReplyOf<(typeof budgetOperations)['listBudgetAlerts']>['items'][number]

/** Alerts, newest first, with how each fared at the webhooks. */
export async function viewAlerts(
  q: Queryable,
  where: Parameters<typeof listAlerts>[1],
): Promise<AlertView[]> {
  const rows = await listAlerts(q, where)
  const paths = await placeBudgets(
    q,
    rows.map(({ budgetId }) => budgetId),
  )
  const deliveries = await loadDeliveries(
    q,
    rows.map(({ id }) => id),
  )
  return rows.map(({ organisationId: _, mode: __, spent, limit: wasLimit, projected, ...rest }) => ({
    ...rest,
    path: paths.get(rest.budgetId) ?? '',
    ...{ spent: String(spent), limit: String(wasLimit) },
    projected: projected === null ? null : String(projected),
    deliveries: (deliveries.get(rest.id) ?? []).map(
      ({ webhookId, attempts, deliveredMs, nextMs, error }) => ({
        ...{ webhookId, attempts, deliveredMs, nextMs, error },
      }),
    ),
  }))
}
