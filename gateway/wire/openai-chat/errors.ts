import type { Refusal } from '@signalbox/sdk/contract'
import type { UpstreamFailure } from '../../provider.ts'
import { classifyStatus } from '../failure.ts'
import { asNumber, asObject, asString } from '../json-value.ts'
import { encodeSseEvent } from '../sse.ts'

/** Error types by status, as OpenAI has them. */
function typeOf(status: number): string {
  switch (status) {
    case 401:
      return 'authentication_error'
    case 402:
      return 'insufficient_quota'
    case 403:
      return 'permission_error'
    case 404:
      return 'not_found_error'
    case 429:
      return 'rate_limit_error'
    default:
      return status < 500 ? 'invalid_request_error' : 'server_error'
  }
}

/** The error body of Chat Completions. The machine-readable code is ours. */
export function encodeChatError(refusal: Refusal): unknown {
  return {
    error: {
      message: refusal.message,
      type: typeOf(refusal.status),
      param: refusal.param ?? null,
      code: refusal.publicCode,
    },
  }
}

/**
 * On a stream the error is a chunk; official clients throw it. No `[DONE]` follows, which would mean success.
 */
export function encodeChatStreamError(refusal: Refusal): string {
  return encodeSseEvent(undefined, encodeChatError(refusal))
}

/** What an error body says: OpenAI's nested form, or the flat ones of Mistral and FastAPI. */
export interface ErrorText {
  readonly code?: string
  readonly type?: string
  readonly message?: string
  readonly status?: number
}

export function readChatError(json: unknown): ErrorText {
  const body = asObject(json)
  const error = asObject(body?.error) ?? body
  const message =
    asString(error?.message) ?? asString(body?.error) ?? asString(body?.detail) ?? asString(body?.message)
  const code = asString(error?.code)
  const type = asString(error?.type)
  const status = asNumber(error?.code) ?? asNumber(error?.status)
  return {
    ...(code !== undefined && { code }),
    ...(type !== undefined && { type }),
    ...(message !== undefined && { message }),
    ...(status !== undefined && { status }),
  }
}

const contextCodes = new Set([
  'context_length_exceeded',
  'exceed_context_size_error',
  'string_above_max_length',
])
const contentCodes = new Set(['content_filter', 'content_policy_violation', 'moderation_blocked'])

/** Why a Chat Completions server refused, by status and code. */
export function classifyChatFailure(status: number, body: unknown): UpstreamFailure {
  const { code, type, message } = readChatError(body)
  const said = {
    ...((code ?? type) && { code: code ?? type }),
    ...(message !== undefined && { message }),
  } as const
  const has = (codes: ReadonlySet<string>): boolean => codes.has(code ?? '') || codes.has(type ?? '')
  if (has(contextCodes)) return { errorClass: 'contextWindow', fallback: true, ...said }
  if (has(contentCodes)) return { errorClass: 'contentPolicy', fallback: false, ...said }
  return { ...classifyStatus(status), ...said }
}
