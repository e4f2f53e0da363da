import { errorTable, type Refusal } from '@signalbox/sdk/contract'
import { formatUsd } from './prices.ts'
import { armOf, lastServing, servingAttempts, type Trail } from './trail.ts'

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

/** The version that decided, as soon as that is known, and where a rollout runs by which arm: `v13; arm=candidate`. */
export function versionHeader(trail: Trail): string[] {
  const { version } = trail
  if (version === undefined) return []
  const arm = armOf(trail)
  return ['x-signalbox-version', `v${version.number}${arm === undefined ? '' : `; arm=${arm}`}`]
}

/** Headers about how the call was served so far; a flat list of names and values. */
export function servedHeaders(trail: Trail): string[] {
  const headers = versionHeader(trail)
  if (trail.prompt !== undefined) {
    headers.push('x-signalbox-prompt', `${trail.prompt.name}@v${trail.prompt.version}`)
  }
  if (trail.verdicts.length > 0) headers.push(...guardrailHeader(trail))
  const attempt = lastServing(trail)
  const target = trail.cached?.target ?? attempt?.target.shownName
  if (target === undefined) return headers
  headers.push('x-signalbox-target', headerSafe(target))
  headers.push('x-signalbox-attempts', String(servingAttempts(trail)), 'x-signalbox-cache', trail.cache)
  if (attempt?.upstreamRequestId !== undefined) {
    headers.push('x-signalbox-upstream-request-id', attempt.upstreamRequestId)
  }
  if (trail.dropped.length > 0) headers.push('x-signalbox-dropped', formatDropped(trail.dropped))
  return headers
}

/** What callers are told of guardrails: those that acted, and those that warn; audits and shadows are not for them. */
export function guardrailHeader({ verdicts }: Trail): string[] {
  const told = verdicts.filter(
    ({ level, verdict, action }) =>
      verdict === 'fail' &&
      (level === 'warn' || (level === 'enforce' && action !== 'flag' && action !== 'none')),
  )
  if (told.length === 0) return []
  const words = told.map(({ guardrail, code, action, level }) =>
    [guardrail, level === 'warn' ? 'warn' : action, ...(code === undefined ? [] : [code])].join('='),
  )
  return ['x-signalbox-guardrails', formatDropped([...new Set(words)])]
}

/** The cost of a plain answer; none where the price is not known. */
export function costHeader(costNanoUsd: bigint | undefined): string[] {
  return costNanoUsd === undefined ? [] : ['x-signalbox-cost-usd', formatUsd(costNanoUsd)]
}

/** What is left of the tightest budget of money after a plain answer. */
export function remainingHeader(remaining: bigint | undefined): string[] {
  return remaining === undefined ? [] : ['x-signalbox-budget-remaining-usd', formatUsd(remaining)]
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
