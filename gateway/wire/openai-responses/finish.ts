import type { Finish } from '../../call.ts'
import { asObject, asString, type JsonObject } from '../json-value.ts'

/** How an answer ended: its status, and why where that is `incomplete`. */
export interface ResponseEnd {
  readonly finish: Finish
  /** `completed`, or the reason of an incomplete answer: `max_output_tokens`. */
  readonly nativeFinish: string
}

/** Reads the end of a response object. */
export function decodeEnd(response: JsonObject, hasToolCalls: boolean): ResponseEnd {
  const status = asString(response.status) ?? ''
  const reason = asString(asObject(response.incomplete_details)?.reason)
  if (status === 'completed') return { finish: hasToolCalls ? 'toolCalls' : 'stop', nativeFinish: status }
  if (status === 'failed') return { finish: 'error', nativeFinish: status }
  if (status !== 'incomplete') return { finish: 'other', nativeFinish: status }
  const finish =
    reason === 'max_output_tokens' ? 'length' : reason === 'content_filter' ? 'contentFilter' : 'other'
  return { finish, nativeFinish: reason ?? status }
}

/** Members of a response object that say how it ended. */
export interface EncodedEnd {
  readonly status: 'completed' | 'incomplete' | 'failed'
  readonly incomplete_details: { readonly reason: string } | null
  readonly error: { readonly code: string; readonly message: string } | null
}

/** A refusal in words is a whole answer; a filter that cut one makes it incomplete. */
export function encodeEnd(finish: Finish, hasRefusal: boolean): EncodedEnd {
  if (finish === 'length') {
    return { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' }, error: null }
  }
  if (finish === 'contentFilter' && !hasRefusal) {
    return { status: 'incomplete', incomplete_details: { reason: 'content_filter' }, error: null }
  }
  if (finish === 'error') {
    const error = { code: 'server_error', message: 'The provider ended its answer with an error.' }
    return { status: 'failed', incomplete_details: null, error }
  }
  return { status: 'completed', incomplete_details: null, error: null }
}
