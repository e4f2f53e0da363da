import type { budgetOperations, ReplyOf, WindowBalance } from '@signalbox/sdk/contract'
import type { Queryable } from '../db/connect.ts'
import { type BudgetRow, limitAt, loadWindows, type PlacedBudget, type WindowRow } from '../stores/budgets.ts'

export type BudgetView = ReplyOf<(typeof budgetOperations)['getBudget']>

/** A window as it stands. The one that is running goes by the limit that holds now. */
export function describeBalance(row: WindowRow, asOfMs: number, budget?: BudgetRow): WindowBalance {
  const running = row.endMs === null || row.endMs > asOfMs
  return {
    budgetId: row.budgetId,
    startMs: row.startMs,
    endMs: row.endMs,
    limit: String(budget !== undefined && running ? limitAt(budget, asOfMs) : row.limit),
    settled: String(row.settled),
    leased: String(row.leased),
    stranded: String(row.stranded),
    overrun: String(row.overrun),
    asOfMs,
  }
}

/** A budget as the API shows it. An override that has ended is none. */
export function describeBudget(row: PlacedBudget, window: WindowRow | undefined, nowMs: number): BudgetView {
  const {
    id,
    nodeId,
    keyId,
    unit,
    mode,
    timeZone,
    fiscalStart,
    alertsPpm,
    managedBy,
    path,
    revision,
    createdMs,
  } = row
  const { overrideLimit, overrideUntilMs, overrideReason: reason, overrideBy: by } = row
  const overridden = overrideLimit !== null && overrideUntilMs !== null && overrideUntilMs > nowMs
  const running = window !== undefined && (window.endMs === null || window.endMs > nowMs)
  return {
    id,
    owner: nodeId === null ? { kind: 'key', id: keyId ?? '' } : { kind: 'node', id: nodeId },
    path,
    window: row.window,
    ...{ unit, mode, limit: String(row.limit), timeZone, fiscalStart, alertsPpm, managedBy },
    override: overridden
      ? { limit: String(overrideLimit), untilMs: overrideUntilMs, reason: reason ?? '', by: by ?? '' }
      : null,
    current: running ? describeBalance(window, nowMs, row) : null,
    ...{ revision, createdMs },
  }
}

/** Budgets with their running windows. */
export async function viewBudgets(
  q: Queryable,
  rows: readonly PlacedBudget[],
  nowMs: number,
): Promise<BudgetView[]> {
  const windows = await loadWindows(
    q,
    rows.map(({ id }) => id),
    { beforeMs: nowMs },
  )
  const newest = new Map(windows.map((window) => [window.budgetId, window]))
  return rows.map((row) => describeBudget(row, newest.get(row.id), nowMs))
}
