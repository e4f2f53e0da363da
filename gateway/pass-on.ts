import { servedHeaders } from './answer-headers.ts'
import { headerOf, passedHeaders, setHeader } from './upstream/answer-headers.ts'
import type { AttemptFailure } from './upstream/judge-failure.ts'
import type { Way } from './way.ts'

/** The last failure: a provider's own error as it came where the caller speaks its format, else a Refusal. */
export function passOn(failure: AttemptFailure, { allowed, incoming, trail }: Way): void {
  const attempt = failure.from ?? trail.attempts.at(-1)
  const sameFormat = attempt?.target.provider.format === allowed.call.format
  if (failure.answer === undefined || !sameFormat) throw failure.refusal
  const { status, headers, body } = failure.answer
  trail.error = failure.refusal
  trail.status = status
  trail.identity = true
  const passed = passedHeaders(headers)
  const isAnyBytes = allowed.call.native?.answer === 'bytes'
  if (!isAnyBytes && headerOf(passed, 'content-type')?.includes('json') !== true) {
    setHeader(passed, 'content-type', 'application/json')
  }
  incoming.writer.send(status, [...passed, ...servedHeaders(trail)], body)
}
