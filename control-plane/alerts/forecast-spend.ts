import { windowAt } from '../ledger/window-bounds.ts'

/** What a window has cost so far, and what the days before it did. */
export interface SpendSoFar {
  readonly startMs: number
  readonly endMs: number
  readonly nowMs: number
  readonly timeZone: string
  readonly spent: bigint
  readonly limit: bigint
  /** What was spent on each local day of the last weeks, by the day's start; days without spending may be left out. */
  readonly byDay: ReadonlyMap<number, bigint>
}
export interface Forecast {
  /** What the window is going to cost, if it goes on like this. */
  readonly projected: bigint
  /** When the limit will be reached; null where it will not. */
  readonly exhaustedMs: number | null
}

const dayMs = 86_400_000
/** Weekdays are told apart from so many days of history on: two of each. */
const historyDays = 14
export const forecastHistoryMs = 28 * dayMs
/** Nothing is foretold from less than this share of a window, or from less than a sixth of a day. */
const shareMin = 0.1
const elapsedMsMin = dayMs / 6

const dayRule = (timeZone: string) => ({ window: 'day', timeZone, fiscalStart: '01-01' }) as const
const weekdayOf = (startMs: number, timeZone: string): string =>
  new Intl.DateTimeFormat('en-US', { weekday: 'short', timeZone }).format(startMs)

/** How much of a week's spending each weekday has; all the same without history enough to tell. */
function weekdayShares({ byDay, nowMs, timeZone }: SpendSoFar): (dayStartMs: number) => number {
  const today = windowAt(dayRule(timeZone), nowMs).startMs
  const past = [...byDay].filter(([day]) => day < today).sort(([a], [b]) => a - b)
  const [first] = past
  const total = past.reduce((sum, [, amount]) => sum + Number(amount), 0)
  if (first === undefined || today - first[0] < historyDays * dayMs || total === 0) return () => 1
  const sums = new Map<string, { amount: number; days: number }>()
  for (let day = first[0]; day < today; day = windowAt(dayRule(timeZone), day).endMs ?? today) {
    const name = weekdayOf(day, timeZone)
    const sum = sums.get(name) ?? { amount: 0, days: 0 }
    sums.set(name, { amount: sum.amount + Number(byDay.get(day) ?? 0n), days: sum.days + 1 })
  }
  const mean = total / Math.max(1, (today - first[0]) / dayMs)
  return (dayStartMs) => {
    const sum = sums.get(weekdayOf(dayStartMs, timeZone))
    return sum === undefined ? 1 : sum.amount / sum.days / mean
  }
}

/** The parts of days between two times, each with the weight of its weekday. */
function* partsOf(so: SpendSoFar, fromMs: number, share: (dayStartMs: number) => number) {
  for (let at = fromMs; at < so.endMs; ) {
    const { startMs, endMs } = windowAt(dayRule(so.timeZone), at)
    const until = Math.min(endMs ?? so.endMs, so.endMs)
    const edge = at < so.nowMs && until > so.nowMs ? so.nowMs : until
    yield { fromMs: at, untilMs: edge, weight: ((edge - at) / dayMs) * share(startMs) }
    at = edge
  }
}

/**
 * Goes on as the window has gone so far, with the shape of the weeks before it: a quiet Sunday is not taken for the
 * rule. Undefined where too little of the window is over to say anything, or nothing was spent.
 */
export function forecastSpend(so: SpendSoFar): Forecast | undefined {
  const elapsedMs = so.nowMs - so.startMs
  if (so.spent <= 0n || elapsedMs < elapsedMsMin || elapsedMs < shareMin * (so.endMs - so.startMs))
    return undefined
  const parts = [...partsOf(so, so.startMs, weekdayShares(so))]
  const weightOf = (isPast: boolean): number =>
    parts.reduce((sum, part) => (part.untilMs <= so.nowMs === isPast ? sum + part.weight : sum), 0)
  const past = weightOf(true)
  if (past <= 0) return undefined
  const perWeight = Number(so.spent) / past
  const projected = so.spent + BigInt(Math.round(perWeight * weightOf(false)))
  if (so.spent >= so.limit) return { projected, exhaustedMs: so.nowMs }
  let left = Number(so.limit - so.spent) / perWeight
  for (const { fromMs, untilMs, weight } of parts) {
    if (fromMs < so.nowMs) continue
    if (weight >= left) {
      return { projected, exhaustedMs: Math.round(fromMs + (untilMs - fromMs) * (left / weight)) }
    }
    left -= weight
  }
  return { projected, exhaustedMs: null }
}
