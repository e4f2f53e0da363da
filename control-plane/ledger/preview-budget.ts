import type { budgetOperations, ReplyOf } from '@signalbox/sdk/contract'
import type { Queryable } from '../db/connect.ts'
import { spendByKey } from '../stores/budget-explain.ts'
import { limitAt, listBudgets, loadWindows, type PlacedBudget, type WindowRow } from '../stores/budgets.ts'
import { describeBalance, describeBudget } from './budget-view.ts'
import type { BudgetChange } from './set-budget.ts'
import { availableOf, grantableOf } from './slice.ts'
import { windowAt } from './window-bounds.ts'

const spendersShown = 100
type Preview = ReplyOf<(typeof budgetOperations)['previewBudget']>

/** A window that nobody has spent in. */
function emptyWindow(row: PlacedBudget, nowMs: number): WindowRow {
  const sums = { settled: 0n, leased: 0n, stranded: 0n, overrun: 0n, wouldRefuse: 0, refusedMs: null }
  return { organisationId: row.organisationId, budgetId: row.id, limit: 0n, ...sums, ...windowAt(row, nowMs) }
}

/** Thresholds that the spending is beyond under one limit and was not under another. */
function newlyReached(
  after: PlacedBudget,
  spent: bigint,
  limits: { old: bigint | undefined; new: bigint },
): number[] {
  const reached = (ppm: number, limit: bigint): boolean =>
    spent > 0n && spent * 1_000_000n >= limit * BigInt(ppm)
  return after.alertsPpm.filter(
    (ppm) => reached(ppm, limits.new) && (limits.old === undefined || !reached(ppm, limits.old)),
  )
}

/** Budgets above the owner that are tighter: a limit that can never be reached. */
async function tighterAbove(q: Queryable, after: PlacedBudget): Promise<string[]> {
  const all = await listBudgets(q, after.organisationId)
  const above = all.filter(
    (each) =>
      each.nodeId !== null &&
      each.id !== after.id &&
      each.path !== after.path &&
      (each.path === '' || after.path.startsWith(`${each.path}/`)) &&
      each.unit === after.unit &&
      each.window === after.window &&
      each.limit < after.limit,
  )
  return above.map(
    (each) => `"${each.path === '' ? 'the organisation' : each.path}" above it has a lower limit.`,
  )
}

/** What a change would do to the running window; nothing is written. */
export async function previewBudget(
  q: Queryable,
  { before, after }: BudgetChange,
  nowMs: number,
): Promise<Preview> {
  const [known] = before === undefined ? [] : await loadWindows(q, [before.id], { beforeMs: nowMs })
  const running = known !== undefined && (known.endMs === null || known.endMs > nowMs) ? known : undefined
  const limit = limitAt(after, nowMs)
  const window = { ...(running ?? emptyWindow(after, nowMs)), limit }
  const old = before === undefined ? undefined : limitAt(before, nowMs)
  const warnings = await tighterAbove(q, after)
  const available = availableOf(window)
  if (available < 0n)
    warnings.push('More is spent or handed out than the limit: nothing is granted until that changes.')
  if (limit !== after.limit) warnings.push('An override holds now: the limit counts from its end.')
  if (before?.managedBy === 'workspace')
    warnings.push('A workspace declares this budget: its next deployment sets it again.')
  const recut =
    before !== undefined && (before.timeZone !== after.timeZone || before.fiscalStart !== after.fiscalStart)
  if (recut && running !== undefined)
    warnings.push('Zone and fiscal start count from the end of the running window.')
  return {
    before: before === undefined ? null : describeBudget(before, known, nowMs),
    after: describeBalance(window, nowMs),
    available: String(available),
    closesNow: after.mode === 'hard' && grantableOf(window) === 0n,
    alertsPpm: newlyReached(after, window.settled + window.overrun, { old, new: limit }),
    spenders: running === undefined ? [] : (await spendByKey(q, running)).slice(0, spendersShown),
    warnings,
  }
}
