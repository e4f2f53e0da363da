import { type BodyOf, type budgetOperations, Refusal } from '@signalbox/sdk/contract'
import type { Permit } from '../authorize.ts'
import type { Queryable, Transaction } from '../db/connect.ts'
import { findOwner } from '../find-owner.ts'
import {
  type BudgetPlace,
  type BudgetRow,
  findBudgetOf,
  insertBudget,
  type PlacedBudget,
  updateBudget,
} from '../stores/budgets.ts'
import { type Clock, openBook } from '../stores/ledger-book.ts'
import { isTimeZone } from './window-bounds.ts'

export type WantedBudget = BodyOf<(typeof budgetOperations)['setBudget']>
export interface BudgetTools {
  readonly clock: Clock
  readonly nowMs: () => number
  readonly newId: () => string
}
/** A change of a budget that is allowed, before it is made. */
export interface BudgetChange {
  readonly before: PlacedBudget | undefined
  readonly after: PlacedBudget
}

/** Where nothing else is said: half, four fifths, all. */
const defaultAlertsPpm = [500_000, 800_000, 1_000_000]

/** @throws Refusal `conflict` where somebody else was faster. */
export function checkRevision(row: Pick<BudgetRow, 'revision'> | undefined, seen: number | undefined): void {
  const now = row?.revision ?? 0
  if (seen === undefined || seen === now) return
  const state = row === undefined ? 'there is no such budget now' : `it is at revision ${now}`
  throw new Refusal('conflict', {
    message: `The budget was changed by somebody else: this change was made on revision ${seen}, and ${state}.`,
    param: 'revision',
  })
}

/**
 * What a budget would be after a change: what the wish leaves out stays as it is.
 * @throws Refusal `not_found`, `invalid_request`, and `conflict` where the wish names another revision.
 */
export async function planBudget(
  q: Queryable,
  tools: BudgetTools,
  wish: {
    readonly organisationId: string
    readonly wanted: WantedBudget
    readonly managedBy?: 'api' | 'workspace'
    /** Of who asks; absent where a deployment does. */
    readonly permit?: Permit
  },
): Promise<BudgetChange> {
  const { organisationId, wanted } = wish
  const { path, ...owner } = await findOwner(
    q,
    { organisationId, what: 'budget', permit: wish.permit },
    wanted,
  )
  if (wanted.timeZone !== undefined && !isTimeZone(wanted.timeZone)) {
    throw new Refusal('invalid_request', {
      message: `"${wanted.timeZone}" is no time zone: give an IANA name, like "Europe/Berlin".`,
      param: 'timeZone',
    })
  }
  const place: BudgetPlace = { ...owner, window: wanted.window, unit: wanted.unit ?? 'usd' }
  const before = await findBudgetOf(q, organisationId, place)
  checkRevision(before, wanted.revision)
  const created = { id: tools.newId(), organisationId, createdMs: tools.nowMs(), revision: 0, path }
  const none = { overrideLimit: null, overrideUntilMs: null, overrideReason: null, overrideBy: null }
  const start: PlacedBudget = before ?? {
    ...{ ...created, ...place, ...none, deletedMs: null },
    ...{ mode: 'hard', limit: 0n, timeZone: 'UTC', fiscalStart: '01-01', managedBy: 'api' },
    alertsPpm: defaultAlertsPpm,
  }
  const after: PlacedBudget = {
    ...start,
    mode: wanted.mode ?? start.mode,
    limit: BigInt(wanted.limit),
    timeZone: wanted.timeZone ?? start.timeZone,
    fiscalStart: wanted.fiscalStart ?? start.fiscalStart,
    alertsPpm: wanted.alertsPpm === undefined ? start.alertsPpm : sortedPpm(wanted.alertsPpm),
    managedBy: wish.managedBy ?? start.managedBy,
  }
  return { before, after: { ...after, revision: isSame(start, after) ? start.revision : start.revision + 1 } }
}

const sortedPpm = (list: readonly number[]): number[] => [...new Set(list)].sort((a, b) => a - b)

/** Whether nothing that may be changed differs. */
function isSame(a: BudgetRow, b: BudgetRow): boolean {
  const shown = (row: BudgetRow): string => JSON.stringify(changeable(row))
  return a.revision > 0 && shown(a) === shown(b)
}

/** What a change of a budget may change, as it stands in the audit log. */
export function changeable(row: BudgetRow): Record<string, unknown> {
  const { mode, limit, timeZone, fiscalStart, alertsPpm, managedBy } = row
  return { mode, limit: String(limit), timeZone, fiscalStart, alertsPpm, managedBy }
}

/**
 * Makes or changes a budget; the running window goes by the new limit from now on.
 * @throws Refusal `conflict` where somebody else was faster.
 */
export async function writeBudget(
  tx: Transaction,
  tools: BudgetTools,
  { before, after }: BudgetChange,
): Promise<void> {
  const { path: _, ...row } = after
  if (before === undefined) {
    await insertBudget(tx, row)
    return
  }
  await changeBudget(tx, tools, { row, seen: before.revision })
}

/** Changes a budget that is there, under its lock. @throws Refusal `conflict` where its revision is another by now. */
export async function changeBudget(
  tx: Transaction,
  tools: Pick<BudgetTools, 'clock'>,
  change: { readonly row: BudgetRow; readonly seen: number },
): Promise<void> {
  const { row } = change
  const book = await openBook(tx, {
    organisationId: row.organisationId,
    budgetIds: [row.id],
    clock: tools.clock,
  })
  const locked = book.budgets.get(row.id)
  checkRevision(locked?.deletedMs === null ? locked : undefined, change.seen)
  await book.openCurrent([row.id])
  book.replaceBudget(row)
  await updateBudget(tx, row)
  await book.flush()
}
