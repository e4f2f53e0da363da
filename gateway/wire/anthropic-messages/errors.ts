import type { Refusal } from '@signalbox/sdk/contract'
import type { UpstreamFailure } from '../../provider.ts'
import { classifyStatus } from '../failure.ts'
import { asObject, asString } from '../json-value.ts'
import { encodeSseEvent } from '../sse.ts'

/** Error types by status, as Anthropic has them. */
function typeOf(status: number): string {
  switch (status) {
    case 401:
      return 'authentication_error'
    case 402:
      return 'billing_error'
    case 403:
      return 'permission_error'
    case 404:
      return 'not_found_error'
    case 413:
      return 'request_too_large'
    case 429:
      return 'rate_limit_error'
    case 503:
    case 529:
      return 'overloaded_error'
    case 504:
      return 'timeout_error'
    default:
      return status < 500 ? 'invalid_request_error' : 'api_error'
  }
}

/** The error body of Messages. The machine-readable code is ours, in `error.code`. */
export function encodeMessagesError(refusal: Refusal, recordId: string | undefined): unknown {
  return {
    type: 'error',
    error: {
      type: typeOf(refusal.status),
      message: refusal.message,
      code: refusal.publicCode,
      ...(refusal.param !== undefined && { details: { param: refusal.param } }),
    },
    request_id: recordId ?? null,
  }
}

export function encodeMessagesStreamError(refusal: Refusal, recordId: string): string {
  return encodeSseEvent('error', encodeMessagesError(refusal, recordId))
}

/** What an error body or event says. */
export function readMessagesError(json: unknown): { code?: string; message?: string } {
  const error = asObject(asObject(json)?.error)
  const code =
    asString(error?.error_code) ?? asString(asObject(error?.details)?.error_code) ?? asString(error?.type)
  const message = asString(error?.message)
  return { ...(code !== undefined && { code }), ...(message !== undefined && { message }) }
}

/** Why Anthropic refused, by status and type. A spend limit that is used up will not refill while we wait. */
export function classifyMessagesFailure(status: number, body: unknown): UpstreamFailure {
  const said = readMessagesError(body)
  const type = asString(asObject(asObject(body)?.error)?.type)
  if (type === 'overloaded_error') return { errorClass: 'overload', fallback: true, ...said }
  if (type === 'timeout_error') return { errorClass: 'timeout', fallback: true, ...said }
  if (said.code === 'enforced_spend_limit_reached')
    return { errorClass: 'unavailable', fallback: true, ...said }
  return { ...classifyStatus(status), ...said }
}
