import type { BudgetWindow } from '@signalbox/sdk/contract'

/** How a budget's windows are cut. */
export interface WindowRule {
  readonly window: BudgetWindow
  /** IANA name. */
  readonly timeZone: string
  /** `MM-DD`, day 01 to 28. */
  readonly fiscalStart: string
}
/** From when on, and before when; no end for `total`. */
export interface WindowBounds {
  readonly startMs: number
  readonly endMs: number | null
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const formats = new Map<string, Intl.DateTimeFormat>()

/** @throws RangeError where there is no such zone. */
function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone)
  if (format === undefined) {
    const parts = { year: 'numeric', month: 'numeric', day: 'numeric' } as const
    const time = { hour: 'numeric', minute: 'numeric', second: 'numeric' } as const
    format = new Intl.DateTimeFormat('en-u-ca-gregory', { timeZone, hourCycle: 'h23', ...parts, ...time })
    formats.set(timeZone, format)
  }
  return format
}

/** Whether the runtime knows the zone by this name. */
export function isTimeZone(name: string): boolean {
  try {
    // Offsets such as `+02:00` are taken by some runtimes and name no zone.
    return /^[A-Za-z]/.test(name) && formatOf(name) !== undefined
  } catch {
    return false
  }
}

/** What a clock on the wall shows there, as if it were UTC. */
function wallClock(timeZone: string, timeMs: number): number {
  const parts = new Map(
    formatOf(timeZone)
      .formatToParts(timeMs)
      .map(({ type, value }) => [type, Number(value)]),
  )
  const of = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0
  return Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second'))
}

/**
 * The first moment of a local day. Where midnight comes twice that is the earlier one, and where the clocks skip it the
 * moment of the change.
 */
function startOfDay(timeZone: string, wallMs: number): number {
  const offsets = [-dayMs, dayMs].map((around) => wallClock(timeZone, wallMs + around) - (wallMs + around))
  const candidates = offsets.map((offsetMs) => wallMs - offsetMs).sort((a, b) => a - b)
  for (const candidate of candidates) if (wallClock(timeZone, candidate) === wallMs) return candidate
  let [before, after] = [(candidates[0] ?? wallMs) - hourMs, (candidates[1] ?? wallMs) + hourMs]
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2)
    if (wallClock(timeZone, middle) >= wallMs) after = middle
    else before = middle
  }
  return after
}

/** First local days of this window and the next, as if in UTC. */
function localBounds(rule: WindowRule, wallMs: number): [number, number] {
  const date = new Date(wallMs)
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()]
  if (rule.window === 'day') return [Date.UTC(year, month, day), Date.UTC(year, month, day + 1)]
  if (rule.window === 'week') {
    // Weeks begin on Mondays (ISO 8601).
    const monday = day - ((date.getUTCDay() + 6) % 7)
    return [Date.UTC(year, month, monday), Date.UTC(year, month, monday + 7)]
  }
  if (rule.window === 'month') return [Date.UTC(year, month, 1), Date.UTC(year, month + 1, 1)]
  const [fiscalMonth = 1, fiscalDay = 1] = rule.fiscalStart.split('-').map(Number)
  const length = rule.window === 'quarter' ? 3 : 12
  // Months since the fiscal year began; the one under way counts from its own fiscal day.
  const passed = (month - (fiscalMonth - 1) + (day < fiscalDay ? -1 : 0) + 24) % 12
  const first = month + (day < fiscalDay ? -1 : 0) - (passed % length)
  return [Date.UTC(year, first, fiscalDay), Date.UTC(year, first + length, fiscalDay)]
}

/** The window that a moment is in. `total` began with 1970. */
export function windowAt(rule: WindowRule, timeMs: number): WindowBounds {
  if (rule.window === 'total') return { startMs: 0, endMs: null }
  const [start, end] = localBounds(rule, wallClock(rule.timeZone, timeMs))
  return { startMs: startOfDay(rule.timeZone, start), endMs: startOfDay(rule.timeZone, end) }
}
