import type { Refusal } from '@signalbox/sdk/contract'
import type { UpstreamFailure } from '../../provider.ts'
import { asObject, asString, type JsonObject } from '../json-value.ts'
import { classifyChatFailure, encodeChatError, readChatError } from '../openai-chat/errors.ts'
import { encodeSseEvent } from '../sse.ts'

/** The error body of Responses, which is that of all OpenAI endpoints. */
export const encodeResponsesError = encodeChatError

/** What the `error` event of a stream says. Clients differ in where they look, so it stands flat and nested. */
export function errorEvent(refusal: Refusal, sequenceNumber: number): JsonObject {
  const { error } = encodeChatError(refusal) as { error: JsonObject }
  const { code, message, param } = error
  return { type: 'error', sequence_number: sequenceNumber, code, message, param, error }
}

/** The `error` event alone, for a stream of which nothing else is known. */
export function encodeResponsesStreamError(refusal: Refusal): string {
  return encodeSseEvent('error', errorEvent(refusal, 0))
}

/**
 * How a stream ends that cannot go on: the `error` event, which official clients throw, then `response.failed` with
 * what is known of the answer, by which agents know that it is over.
 */
export function encodeFailedEnd(refusal: Refusal, response: JsonObject, sequenceNumber: number): string {
  const error = { code: refusal.publicCode, message: refusal.message }
  const failed = { ...response, status: 'failed', error }
  return (
    encodeSseEvent('error', errorEvent(refusal, sequenceNumber)) +
    encodeSseEvent('response.failed', {
      type: 'response.failed',
      sequence_number: sequenceNumber + 1,
      response: failed,
    })
  )
}

/** The error of a stream's event: `error`, flat or nested, or `response.failed`. */
export function readEventError(event: JsonObject): { readonly code: string; readonly message: string } {
  const failed = asObject(asObject(event.response)?.error)
  const said = failed === undefined ? readChatError(event) : { ...readChatError({ error: failed }) }
  return {
    code: said.code ?? (said.type === 'error' ? undefined : said.type) ?? 'upstream_error',
    message: said.message ?? 'The provider sent an error.',
  }
}

/** Codes that Responses has beside those of Chat Completions. */
const promptCodes = new Set(['invalid_prompt', 'image_content_policy_violation'])

/** Why a Responses server refused, by status and code. */
export function classifyResponsesFailure(status: number, body: unknown): UpstreamFailure {
  const outer = asObject(body)
  const inner = asObject(outer?.response)?.error
  const failure = classifyChatFailure(status, inner === undefined ? body : { error: inner })
  // xAI writes its code beside a text.
  const flat = asString(outer?.error) === undefined ? undefined : asString(outer?.code)
  const code = failure.code ?? flat
  if (promptCodes.has(code ?? '')) return { ...failure, errorClass: 'contentPolicy', fallback: false }
  // Thinking is encrypted for the account that did it; a connection of that account can go on.
  if (code === 'invalid_encrypted_content') return { ...failure, fallback: true, code }
  return code === undefined ? failure : { ...failure, code }
}
