import type { Database } from '../db/connect.ts'
import { windowAt } from '../ledger/window-bounds.ts'
import { repeatedly } from '../repeatedly.ts'
import type { Clock } from '../stores/ledger-book.ts'
import {
  insertForecastAlert,
  listUntoldWindows,
  type RunningWindow,
  spendByLocalDay,
} from '../stores/spend-history.ts'
import { type DeliveryTools, deliverAlerts } from './deliver-alerts.ts'
import { forecastHistoryMs, forecastSpend } from './forecast-spend.ts'
import { watchDrills } from './watch-drills.ts'

const deliverEveryMs = 1000
const forecastEveryMs = 60_000

type ReadDays = (of: Parameters<typeof spendByLocalDay>[1]) => Promise<ReadonlyMap<number, bigint>>
interface KnownDays {
  readonly todayMs: number
  readonly timeZone: string
  readonly byDay: ReadonlyMap<number, bigint>
}

/**
 * What budgets cost on the days before today. Transfers are only ever added, at the time that it is, so days that are
 * over are summed once a day and budget, not at every look.
 */
export class SpendDays {
  #known = new Map<string, KnownDays>()
  #seen = new Map<string, KnownDays>()

  /** @param read is asked where the days are not known yet. */
  async of(window: RunningWindow, nowMs: number, read: ReadDays): Promise<ReadonlyMap<number, bigint>> {
    const { budgetId, timeZone } = window
    const todayMs = windowAt({ window: 'day', timeZone, fiscalStart: '01-01' }, nowMs).startMs
    let days = this.#known.get(budgetId)
    if (days?.todayMs !== todayMs || days.timeZone !== timeZone) {
      const windowMs = window.endMs - window.startMs
      const byDay = await read({ budgetId, timeZone, windowMs, sinceMs: nowMs - forecastHistoryMs })
      days = { todayMs, timeZone, byDay }
    }
    this.#seen.set(budgetId, days)
    return days.byDay
  }

  /** A look is over: budgets that were not asked for are forgotten. */
  forgetOthers(): void {
    this.#known = this.#seen
    this.#seen = new Map()
  }
}

/** Raises an alert for each window that is going to cost more than its limit, once. Gives how many are new. */
export async function raiseForecasts(db: Database, clock: Clock, days = new SpendDays()): Promise<number> {
  const nowMs = await clock(db)
  let raised = 0
  for (const window of await listUntoldWindows(db, nowMs)) {
    // What is over its limit already was told by its thresholds.
    if (window.spent >= window.limit) continue
    const byDay = await days.of(window, nowMs, (of) => spendByLocalDay(db, of))
    const forecast = forecastSpend({ ...window, byDay, nowMs })
    if (forecast === undefined || forecast.projected <= window.limit) continue
    const told = { projected: forecast.projected, timeMs: nowMs }
    if (await insertForecastAlert(db, window, told)) raised++
  }
  days.forgetOthers()
  return raised
}

/** Foretells and delivers for as long as the program runs; gives how to stop. */
export function startAlerts(tools: DeliveryTools & { readonly clock: Clock }): () => Promise<void> {
  const { db, clock, log } = tools
  const days = new SpendDays()
  const stops = [
    repeatedly(() => deliverAlerts(tools), {
      everyMs: deliverEveryMs,
      log,
      what: 'alerts could not be delivered',
    }),
    repeatedly(() => watchDrills(tools), {
      ...{ everyMs: forecastEveryMs, log, what: 'how long routes have not been proven could not be told' },
    }),
    repeatedly(() => raiseForecasts(db, clock, days), {
      ...{ everyMs: forecastEveryMs, log, what: 'the spending of budgets could not be foretold' },
    }),
  ]
  return async () => {
    await Promise.all(stops.map((stop) => stop()))
  }
}
