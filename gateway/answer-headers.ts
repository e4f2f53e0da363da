import { errorTable, type Refusal } from '@signalbox/sdk/contract'
import { formatUsd } from './prices.ts'
import type { Trail } from './trail.ts'

/** The value of `x-signalbox-dropped` is at most this long; how many more there are follows as `+N`. */
const droppedBytesMax = 1024
/** Statuses below 500 at which the same request may succeed later. */
const retryableStatuses = new Set([408, 409, 425, 429])

/** Paths as one header value: `logit_bias, messages[].name`, with `+N` for what does not fit. */
export function formatDropped(paths: readonly string[]): string {
  let text = ''
  for (const [index, path] of paths.entries()) {
    const next = `${index === 0 ? '' : ', '}${path.replace(/[^\x21-\x7e]/g, '?')}`
    const rest = paths.length - index
    if (text.length + next.length + `, +${rest}`.length > droppedBytesMax) {
      return text === '' ? `+${rest}` : `${text}, +${rest}`
    }
    text += next
  }
  return text
}

/** Whose release decided, as soon as that is known. */
export function versionHeader(trail: Trail): string[] {
  return trail.version === undefined ? [] : ['x-signalbox-version', `v${trail.version.number}`]
}

/** Headers about how the call was served so far; a flat list of names and values. */
export function servedHeaders(trail: Trail): string[] {
  const headers = versionHeader(trail)
  const attempt = trail.attempts.at(-1)
  if (attempt === undefined) return headers
  headers.push('x-signalbox-target', headerSafe(attempt.target.shownName))
  headers.push('x-signalbox-attempts', String(trail.attempts.length), 'x-signalbox-cache', 'off')
  if (attempt.upstreamRequestId !== undefined) {
    headers.push('x-signalbox-upstream-request-id', attempt.upstreamRequestId)
  }
  if (trail.dropped.length > 0) headers.push('x-signalbox-dropped', formatDropped(trail.dropped))
  return headers
}

/** The cost of a plain answer; none where the price is not known. */
export function costHeader(costNanoUsd: bigint | undefined): string[] {
  return costNanoUsd === undefined ? [] : ['x-signalbox-cost-usd', formatUsd(costNanoUsd)]
}

/** The comment after the last event of a stream. */
export function costComment(costNanoUsd: bigint | undefined): string {
  return `: signalbox cost=${costNanoUsd === undefined ? 'unknown' : formatUsd(costNanoUsd)}\n\n`
}

/** What clients need to know to try again, or not to. */
export function refusalHeaders(refusal: Refusal): string[] {
  const headers: string[] = []
  if (refusal.retryAfterS !== undefined) headers.push('retry-after', String(refusal.retryAfterS))
  const isFinal = refusal.status < 500 && !retryableStatuses.has(refusal.status)
  if (isFinal || !errorTable[refusal.code].retryable) headers.push('x-should-retry', 'false')
  return headers
}

function headerSafe(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?')
}
