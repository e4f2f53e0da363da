import type { AlertMessage } from '@signalbox/sdk/contract'
import type { Queryable } from '../db/connect.ts'
import { findAlert } from '../stores/budget-explain.ts'
import { placeBudgets } from '../stores/budgets.ts'

/** What a webhook is told of an alert. @throws Error where there is none of this id. */
export async function alertMessage(q: Queryable, alertId: string): Promise<AlertMessage> {
  const alert = await findAlert(q, alertId)
  if (alert === undefined) throw new Error(`there is no alert ${alertId}`)
  const path = (await placeBudgets(q, [alert.budgetId])).get(alert.budgetId) ?? ''
  const { id, kind, thresholdPpm, windowStartMs, timeMs, window, unit, mode } = alert
  return {
    type: `budget.${kind}`,
    ...{ id, kind, thresholdPpm, windowStartMs, timeMs },
    budget: { id: alert.budgetId, path, window, unit, mode },
    spent: String(alert.spent),
    limit: String(alert.limit),
    projected: alert.projected === null ? null : String(alert.projected),
  }
}
