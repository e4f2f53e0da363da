const dateTime = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' })
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const whole = new Intl.NumberFormat('en-US')
const compact = new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 })

export const formatTime = (timeMs: number): string => dateTime.format(timeMs)
export const formatClock = (timeMs: number): string => clock.format(timeMs)
export const formatCount = (count: number): string =>
  count < 100_000 ? whole.format(count) : compact.format(count)

/** `3 min ago`; dates from a week on. */
export function formatAgo(timeMs: number, nowMs: number): string {
  const seconds = Math.max(0, Math.round((nowMs - timeMs) / 1000))
  if (seconds < 60) return 'just now'
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`
  if (seconds < 7 * 86_400) return `${Math.floor(seconds / 86_400)} d ago`
  return formatTime(timeMs)
}

/** Nano-dollars as dollars: two digits that say something, at least cents. */
export function formatMoney(nanoUsd: string | undefined): string {
  if (nanoUsd === undefined) return 'unpriced'
  const value = Number(nanoUsd) / 1e9
  if (value === 0) return '$0'
  if (value < 0.01) return `$${value.toFixed(Math.min(9, 1 - Math.floor(Math.log10(value))))}`
  return new Intl.NumberFormat('en-US', { style: 'currency', currency: 'USD' }).format(value)
}

export function formatDuration(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`
  if (ms < 10_000) return `${Math.round(ms)} ms`
  return `${(ms / 1000).toFixed(1)} s`
}

export const shortDigest = (digest: string): string => digest.replace('sha256:', '').slice(0, 12)
