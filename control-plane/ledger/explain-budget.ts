import type { budgetOperations, ReplyOf } from '@signalbox/sdk/contract'
import { forecastHistoryMs, forecastSpend } from '../alerts/forecast-spend.ts'
import type { Queryable } from '../db/connect.ts'
import { type BatchRow, findBatchesOf } from '../stores/batches.ts'
import {
  dearestCalls,
  explainedSpend,
  spendByDay,
  spendByKey,
  spendByTarget,
} from '../stores/budget-explain.ts'
import { limitAt, loadWindows, type PlacedBudget, type WindowRow } from '../stores/budgets.ts'
import { findOpenLeases, type LeaseRow, windowsOf } from '../stores/leases.ts'
import { spendByLocalDay } from '../stores/spend-history.ts'
import { describeBalance, describeBudget } from './budget-view.ts'

type Explanation = ReplyOf<(typeof budgetOperations)['explainBudget']>

const windowsShown = 24
const callsShown = 50

function describeLease({ state, ...row }: LeaseRow, batch: BatchRow | undefined): Explanation['leases'] {
  if (state === 'closed') return []
  const { id: leaseId, gatewayId, incarnation, createdMs: sinceMs, expiresMs } = row
  const sums = { amount: String(row.amount), settled: String(row.settled) }
  const described = { leaseId, gatewayId, incarnation, state, ...sums, sinceMs, expiresMs }
  if (batch === undefined) return [described]
  const { connection, lines } = batch.job
  return [{ ...described, batch: { connection, lines, providerId: batch.providerId } }]
}

/** What a running window is going to cost; null where it has no end, is over, or where it is too early to say. */
async function foretell(
  q: Queryable,
  budget: PlacedBudget,
  { window, nowMs }: { readonly window: WindowRow; readonly nowMs: number },
): Promise<Explanation['forecast']> {
  const { startMs, endMs } = window
  if (endMs === null || endMs <= nowMs) return null
  const { id: budgetId, timeZone } = budget
  const of = { budgetId, timeZone, windowMs: endMs - startMs, sinceMs: nowMs - forecastHistoryMs }
  const byDay = await spendByLocalDay(q, of)
  const sums = { spent: window.settled + window.overrun, limit: limitAt(budget, nowMs) }
  const forecast = forecastSpend({ startMs, endMs, nowMs, timeZone, byDay, ...sums })
  if (forecast === undefined) return null
  return { projected: String(forecast.projected), exhaustedMs: forecast.exhaustedMs }
}

async function explainWindow(
  q: Queryable,
  budget: PlacedBudget,
  given: { window: WindowRow; limit: number; nowMs: number },
) {
  const { window, limit } = given
  const [byKey, byTarget, byDay, calls, explained, leases] = await Promise.all([
    spendByKey(q, window),
    spendByTarget(q, window),
    spendByDay(q, window, budget.timeZone),
    dearestCalls(q, window, limit),
    explainedSpend(q, window),
    findOpenLeases(q, budget.id),
  ])
  const held = leases.filter((lease) =>
    windowsOf(lease).some((key) => key.budgetId === window.budgetId && key.startMs === window.startMs),
  )
  const batches = await findBatchesOf(
    q,
    held.map(({ id }) => id),
  )
  const unexplained = window.settled + window.overrun - explained
  return {
    ...{ byKey, byTarget, byDay, calls },
    leases: held.flatMap((lease) => describeLease(lease, batches.get(lease.id))),
    unexplained: String(unexplained > 0n ? unexplained : 0n),
    wouldRefuse: window.wouldRefuse,
    forecast: await foretell(q, budget, given),
  }
}

/** Where the money of a window went: the running one, or the one that began at a time. */
export async function explainBudget(
  q: Queryable,
  budget: PlacedBudget,
  options: { readonly windowStartMs?: number; readonly limit?: number; readonly nowMs: number },
): Promise<Explanation> {
  const { windowStartMs, nowMs, limit = callsShown } = options
  const windows = await loadWindows(q, [budget.id], { beforeMs: nowMs, perBudget: windowsShown })
  const [newest] = windows
  const window =
    windowStartMs === undefined ? newest : windows.find(({ startMs }) => startMs === windowStartMs)
  const nothing = {
    byKey: [],
    byTarget: [],
    byDay: [],
    calls: [],
    leases: [],
    unexplained: '0',
    wouldRefuse: 0,
    forecast: null,
  }
  return {
    budget: describeBudget(budget, newest, nowMs),
    window: window === undefined ? null : describeBalance(window, nowMs, budget),
    windows: windows.map((each) => describeBalance(each, nowMs, budget)),
    ...(window === undefined ? nothing : await explainWindow(q, budget, { window, limit, nowMs })),
  }
}
