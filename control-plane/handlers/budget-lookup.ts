import { Refusal } from '@signalbox/sdk/contract'
import { validate as isUuid } from 'uuid'
import type { Queryable } from '../db/connect.ts'
import type { Dependencies } from '../dependencies.ts'
import { describeBudget } from '../ledger/budget-view.ts'
import { findBudget, loadWindows, type PlacedBudget } from '../stores/budgets.ts'
import type { Clock } from '../stores/ledger-book.ts'

export interface BudgetDependencies extends Dependencies {
  readonly clock: Clock
}

/** @throws Refusal `not_found`. */
export async function requireBudget(q: Queryable, organisationId: string, id: string): Promise<PlacedBudget> {
  const found = isUuid(id) ? await findBudget(q, organisationId, id) : undefined
  if (found === undefined) throw new Refusal('not_found', { message: 'There is no such budget.' })
  return found
}

/** A budget as it is now. */
export async function viewBudget({ db, clock }: BudgetDependencies, organisationId: string, id: string) {
  const row = await requireBudget(db, organisationId, id)
  const nowMs = await clock(db)
  const [window] = await loadWindows(db, [id], { beforeMs: nowMs })
  return describeBudget(row, window, nowMs)
}
