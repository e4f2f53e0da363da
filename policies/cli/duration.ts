import { Failure } from './context.ts'

const unitsMs: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

/** Milliseconds of `90s`, `12h`, `7d`, `0`. @throws Failure that says what was expected. */
export function parseDuration(text: string): number {
  const parts = /^(\d{1,6})([smhdw])$/.exec(text)
  if (text === '0') return 0
  if (parts === null) throw new Failure(`"${text}" is no time like 90s, 12h or 7d`, 'usage')
  return Number(parts[1]) * (unitsMs[parts[2] ?? ''] ?? 0)
}

/** When something expires: a date, a time from now on, or null for `never`. @throws Failure. */
export function parseExpiry(text: string, nowMs = Date.now()): number | null {
  if (text === 'never') return null
  if (/^\d+[smhdw]$/.test(text)) return nowMs + parseDuration(text)
  const timeMs = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(timeMs)) throw new Failure(`"${text}" is no time like 2026-12-31, 90d or never`, 'usage')
  return timeMs
}
