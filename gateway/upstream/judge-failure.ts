import type { IncomingHttpHeaders } from 'node:http'
import { type Attempt, type errorClasses, Refusal } from '@signalbox/sdk/contract'
import type { Provider, UpstreamFailure } from '../provider.ts'
import type { AttemptTrail } from '../trail.ts'
import { retryAfterOf } from './answer-headers.ts'
import type { ExchangeFailure } from './exchange.ts'

/** Why an attempt gave the caller nothing, and what follows from it. */
export interface AttemptFailure {
  readonly outcome: Attempt['outcome']
  /** What the caller is told where this was the last attempt and nothing is passed on. */
  readonly refusal: Refusal
  /** Another target may be tried. */
  readonly fallback: boolean
  /** Of what class it is, for plans that say what follows; undefined where nothing came of the upstream at all. */
  readonly errorClass?: (typeof errorClasses)[number] | 'invalid'
  /** The same target may give something else the next time. */
  readonly isPassing?: boolean
  /** The attempt that failed; the last one if left out. */
  readonly from?: AttemptTrail | undefined
  /** The provider's own error, to be passed on where caller and provider speak the same format. */
  readonly answer: ErrorAnswer | undefined
}
export interface ErrorAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

const messageLengthMax = 512
/** Secrets as vendors form them, and what may follow `Bearer`. */
const secrets = /\b(?:sk-|sb[a-z]?_|AIza|xai-|gsk_|Bearer\s+)[\w\-.*]{6,}/g
/** The caller's own fault, so that another try gives the same; anything else is between us and the provider. */
const callerStatuses = new Set([400, 404, 409, 413, 415, 422])

/** An attempt that broke off or never began. */
export function failureOfExchange(failure: ExchangeFailure): AttemptFailure {
  const { kind, detail } = failure
  if (kind === 'timeout') {
    return {
      outcome: 'timeout',
      refusal: new Refusal('upstream_timeout', { detail }),
      fallback: true,
      errorClass: 'timeout',
      isPassing: true,
      answer: undefined,
    }
  }
  if (kind === 'stalled' || kind === 'aborted') {
    return {
      outcome: 'aborted',
      refusal: new Refusal('client_closed', { detail }),
      fallback: false,
      answer: undefined,
    }
  }
  if (kind === 'internal') {
    const refusal = new Refusal('internal', { detail })
    return { outcome: 'unavailable', refusal, fallback: false, answer: undefined }
  }
  const code =
    kind === 'reset' ? 'upstream_reset' : kind === 'invalid' ? 'upstream_invalid' : 'upstream_unavailable'
  const errorClass = kind === 'invalid' ? 'invalidOutput' : 'unavailable'
  const refusal = new Refusal(code, { detail })
  return { outcome: kind, refusal, fallback: true, errorClass, isPassing: true, answer: undefined }
}

/** An answer that makes no sense. */
export function invalidAnswer(detail: string, cause?: unknown): AttemptFailure {
  const refusal = new Refusal('upstream_invalid', cause === undefined ? { detail } : { detail, cause })
  const what = { errorClass: 'invalidOutput', isPassing: true } as const
  return { outcome: 'invalid', refusal, fallback: true, ...what, answer: undefined }
}

function scrubbed(message: string): string {
  return message.slice(0, messageLengthMax).toWellFormed().replace(secrets, '[redacted]')
}

function mappedStatus(status: number, failure: UpstreamFailure): number {
  if (status === 429 || failure.errorClass === 'rateLimit') return 429
  if (failure.errorClass === 'overload') return 503
  if (callerStatuses.has(status)) return status
  if (failure.errorClass === 'contextWindow' || failure.errorClass === 'contentPolicy') return 400
  return 502
}

function refusalFor(status: number, failure: UpstreamFailure, retryAfterS: number | undefined): Refusal {
  const mapped = mappedStatus(status, failure)
  // What a provider says of our own credential or account is not for the caller.
  const tells = failure.message !== undefined && callerStatuses.has(mapped)
  return new Refusal('upstream_error', {
    status: mapped,
    detail: `status ${status}${failure.code === undefined ? '' : ` ${failure.code}`}`,
    ...(tells && { message: scrubbed(failure.message ?? '') }),
    ...(retryAfterS !== undefined && { retryAfterS }),
  })
}

/** Whether a parsed body is an error of the formats we speak, whatever its status says. */
export function isErrorBody(json: unknown): boolean {
  if (typeof json !== 'object' || json === null || !('error' in json)) return false
  return json.error !== null && json.error !== undefined && json.error !== false
}

/** Whether another try may help: as the provider says it, else by its status. */
function isPassing(status: number, headers: IncomingHttpHeaders, failure: UpstreamFailure): boolean {
  const said = headers['x-should-retry']
  if (said === 'true' || said === 'false') return said === 'true'
  const { errorClass } = failure
  if (errorClass === 'rateLimit' || errorClass === 'overload' || errorClass === 'timeout') return true
  return errorClass === 'unavailable' && (status >= 500 || status < 400 || status === 409)
}

/** An answer that is an error: by its status, or by its body behind a 200. */
export function failureOfAnswer(
  answer: ErrorAnswer,
  json: unknown,
  provider: Provider,
  credential: string | undefined,
  nowMs: number,
): AttemptFailure {
  const { status, headers, body } = answer
  if (status >= 300 && status < 400) return invalidAnswer(`a redirect (${status}), which is not followed`)
  // Behind a good status only the error itself says what it is.
  const failure = provider.classifyFailure(status < 400 ? 500 : status, json)
  const retryAfterS = retryAfterOf(headers, nowMs) ?? failure.retryAfterS
  const repeatsSecret = credential !== undefined && credential !== '' && body.includes(credential)
  const passable = status >= 400 && isErrorBody(json) && !repeatsSecret
  return {
    outcome: 'error',
    refusal: refusalFor(status, failure, retryAfterS),
    fallback: failure.fallback,
    errorClass: failure.errorClass,
    isPassing: isPassing(status, headers, failure),
    answer: passable ? answer : undefined,
  }
}

/** The status that an error event would have had as an answer. */
const eventStatus: Readonly<Record<UpstreamFailure['errorClass'], number>> = {
  rateLimit: 429,
  overload: 503,
  contextWindow: 400,
  contentPolicy: 400,
  timeout: 504,
  unavailable: 502,
  invalid: 400,
}

/** An error event that came before anything else of a stream: an error answer whose status was sent too early. */
export function failureOfEvent(
  answer: ErrorAnswer,
  json: unknown,
  provider: Provider,
  credential: string | undefined,
): AttemptFailure {
  const known = answer.status >= 400
  const status = known ? answer.status : eventStatus[provider.classifyFailure(500, json).errorClass]
  const headers = { 'content-type': 'application/json' }
  return failureOfAnswer({ status, headers, body: answer.body }, json, provider, credential, 0)
}
