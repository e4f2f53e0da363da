import type { Refusal } from '@signalbox/sdk/contract'
import { encodeSseEvent } from '../sse.ts'

/** Error types of the gateway protocol; the AI SDK makes a class of each. */
function typeOf({ status, code }: Refusal): string {
  if (code === 'model_not_found') return 'model_not_found'
  switch (status) {
    case 401:
      return 'authentication_error'
    case 402:
    case 403:
      return 'forbidden'
    case 404:
      return 'not_found'
    case 429:
      return 'rate_limit_exceeded'
    default:
      return status < 500 ? 'invalid_request_error' : 'internal_server_error'
  }
}

function errorOf(refusal: Refusal): object {
  const param = refusal.param === undefined ? null : { path: refusal.param }
  return { message: refusal.message, type: typeOf(refusal), param, code: refusal.publicCode }
}

/** The error body of the gateway protocol; `generationId` is the record's. */
export function encodeVercelError(refusal: Refusal, recordId: string | undefined): unknown {
  return { error: errorOf(refusal), ...(recordId !== undefined && { generationId: recordId }) }
}

/** On a stream the error is a part of its own; nothing follows it. */
export function encodeVercelStreamError(refusal: Refusal): string {
  return encodeSseEvent(undefined, { type: 'error', error: errorOf(refusal) })
}
