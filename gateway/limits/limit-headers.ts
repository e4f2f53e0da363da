import { limitWindowMs, type StateLimit } from '@signalbox/sdk/contract'
import type { WireFormat } from '../call.ts'

/** A limit as the answers of its caller show it. */
export interface ShownLimit {
  readonly limit: StateLimit
  readonly remaining: number
  /** Until the window ends; for concurrency, when it is worth to look again. */
  readonly resetMs: number
}

/** A header with more items than this helps nobody. */
const itemsMax = 8
const quotaUnits = { requests: 'requests', tokens: 'tokens', concurrency: 'concurrent-requests' } as const

const seconds = (ms: number): number => Math.max(0, Math.ceil(ms / 1000))

/** `"requests-minute"`: what a policy is called in both of the headers. */
function nameOf({ unit, window, per }: StateLimit, index: number): string {
  const name = window === undefined ? unit : `${unit}-${window}`
  return `"${name}${per === undefined ? '' : '-each'}${index === 0 ? '' : `-${index + 1}`}"`
}

/** `RateLimit` and `RateLimit-Policy`: structured fields of draft-ietf-httpapi-ratelimit-headers-10 §3 and §4. */
function standardHeaders(shown: readonly ShownLimit[]): string[] {
  const counts = new Map<string, number>()
  const policies: string[] = []
  const states: string[] = []
  for (const { limit, remaining, resetMs } of shown.slice(0, itemsMax)) {
    const plain = `${limit.unit} ${limit.window} ${limit.per === undefined}`
    const index = counts.get(plain) ?? 0
    counts.set(plain, index + 1)
    const name = nameOf(limit, index)
    const window = limit.window === undefined ? '' : `;w=${limitWindowMs[limit.window] / 1000}`
    policies.push(`${name};q=${limit.limit};qu="${quotaUnits[limit.unit]}"${window}`)
    states.push(`${name};r=${remaining}${limit.window === undefined ? '' : `;t=${seconds(resetMs)}`}`)
  }
  return ['ratelimit-policy', policies.join(', '), 'ratelimit', states.join(', ')]
}

/** `6m0s`, `12ms`: durations as OpenAI writes them. */
function duration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.ceil(ms))}ms`
  const total = seconds(ms)
  const [h, m, s] = [Math.floor(total / 3600), Math.floor((total % 3600) / 60), total % 60]
  return `${h > 0 ? `${h}h` : ''}${h > 0 || m > 0 ? `${m}m` : ''}${s}s`
}

/** Of the limits of a unit the one that is reached first. */
function tightest(shown: readonly ShownLimit[], unit: StateLimit['unit']): ShownLimit | undefined {
  let found: ShownLimit | undefined
  for (const each of shown) {
    if (each.limit.unit !== unit) continue
    if (found === undefined || each.remaining < found.remaining) found = each
  }
  return found
}

/**
 * What an answer says of the caller's limits: the standard's headers, and those that clients of the dialect read
 * (OpenAI's `x-ratelimit-…`, Anthropic's `anthropic-ratelimit-…`; Google has none). A flat list of names and values.
 */
export function limitHeaders(format: WireFormat, shown: readonly ShownLimit[], nowMs: number): string[] {
  if (shown.length === 0) return []
  const headers = standardHeaders(shown)
  for (const unit of ['requests', 'tokens'] as const) {
    const found = tightest(shown, unit)
    if (found === undefined || format === 'gemini') continue
    const { limit, remaining, resetMs } = found
    if (format === 'anthropic-messages') {
      const name = `anthropic-ratelimit-${unit}`
      const reset = new Date(nowMs + Math.max(0, resetMs)).toISOString().replace(/\.\d+Z$/, 'Z')
      headers.push(`${name}-limit`, String(limit.limit), `${name}-remaining`, String(remaining))
      headers.push(`${name}-reset`, reset)
    } else {
      headers.push(`x-ratelimit-limit-${unit}`, String(limit.limit))
      headers.push(`x-ratelimit-remaining-${unit}`, String(remaining))
      headers.push(`x-ratelimit-reset-${unit}`, duration(resetMs))
    }
  }
  return headers
}
