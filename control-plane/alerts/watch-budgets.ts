import type { Database } from '../db/connect.ts'
import { repeatedly } from '../repeatedly.ts'
import type { Clock } from '../stores/ledger-book.ts'
import { insertForecastAlert, listUntoldWindows, spendByLocalDay } from '../stores/spend-history.ts'
import { type DeliveryTools, deliverAlerts } from './deliver-alerts.ts'
import { forecastHistoryMs, forecastSpend } from './forecast-spend.ts'

const deliverEveryMs = 1000
const forecastEveryMs = 60_000

/** Raises an alert for each window that is going to cost more than its limit, once. Gives how many are new. */
export async function raiseForecasts(db: Database, clock: Clock): Promise<number> {
  const nowMs = await clock(db)
  let raised = 0
  for (const window of await listUntoldWindows(db, nowMs)) {
    // What is over its limit already was told by its thresholds.
    if (window.spent >= window.limit) continue
    const windowMs = window.endMs - window.startMs
    const byDay = await spendByLocalDay(db, { ...window, windowMs, sinceMs: nowMs - forecastHistoryMs })
    const forecast = forecastSpend({ ...window, byDay, nowMs })
    if (forecast === undefined || forecast.projected <= window.limit) continue
    const told = { projected: forecast.projected, timeMs: nowMs }
    if (await insertForecastAlert(db, window, told)) raised++
  }
  return raised
}

/** Foretells and delivers for as long as the program runs; gives how to stop. */
export function startAlerts(tools: DeliveryTools & { readonly clock: Clock }): () => Promise<void> {
  const { db, clock, log } = tools
  const stops = [
    repeatedly(() => deliverAlerts(tools), {
      everyMs: deliverEveryMs,
      log,
      what: 'alerts could not be delivered',
    }),
    repeatedly(() => raiseForecasts(db, clock), {
      ...{ everyMs: forecastEveryMs, log, what: 'the spending of budgets could not be foretold' },
    }),
  ]
  return async () => {
    await Promise.all(stops.map((stop) => stop()))
  }
}
