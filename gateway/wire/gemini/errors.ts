import type { Refusal } from '@signalbox/sdk/contract'
import type { UpstreamFailure } from '../../provider.ts'
import { classifyStatus } from '../failure.ts'
import { asCount, asObject, asString } from '../json-value.ts'
import { encodeSseEvent } from '../sse.ts'
import { asList } from './read-fields.ts'

/** Names of google.rpc.Code by the HTTP status that they travel with. */
const statusNames: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  402: 'RESOURCE_EXHAUSTED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  405: 'UNIMPLEMENTED',
  409: 'ABORTED',
  429: 'RESOURCE_EXHAUSTED',
  499: 'CANCELLED',
  502: 'UNAVAILABLE',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
}
const errorInfo = 'type.googleapis.com/google.rpc.ErrorInfo'
const retryInfo = 'type.googleapis.com/google.rpc.RetryInfo'

/** The error body of Google's APIs. The machine-readable code is ours, as the reason of its ErrorInfo. */
export function encodeGeminiError(refusal: Refusal): unknown {
  const { status: code, message, publicCode, param, retryAfterS } = refusal
  const status = statusNames[code] ?? (code < 500 ? 'INVALID_ARGUMENT' : 'INTERNAL')
  const metadata = param !== undefined && { metadata: { param } }
  const details: unknown[] = [{ '@type': errorInfo, reason: publicCode, domain: 'signalbox', ...metadata }]
  if (retryAfterS !== undefined) details.push({ '@type': retryInfo, retryDelay: `${retryAfterS}s` })
  return { error: { code, message, status, details } }
}

/** On a stream the error is an event; official clients throw it. */
export function encodeGeminiStreamError(refusal: Refusal): string {
  return encodeSseEvent(undefined, encodeGeminiError(refusal))
}

/** What an error of Google's says. */
export interface GeminiError {
  readonly status: number | undefined
  /** `RESOURCE_EXHAUSTED`. */
  readonly name: string | undefined
  /** The reason of its ErrorInfo: `API_KEY_INVALID`. */
  readonly reason: string | undefined
  readonly message: string | undefined
  readonly retryAfterS: number | undefined
}

/** Reads an error body, or the array with one that a stream without server-sent events answers with. */
export function readGeminiError(body: unknown): GeminiError {
  const error = asObject(asObject(asList(body)[0])?.error)
  const details = asList(error?.details).map((each) => asObject(each))
  const info = details.find((each) => each?.['@type'] === errorInfo)
  const delay = asString(details.find((each) => each?.['@type'] === retryInfo)?.retryDelay)
  const seconds = delay === undefined ? Number.NaN : Number(delay.replace(/s$/, ''))
  return {
    status: asCount(error?.code),
    name: asString(error?.status),
    reason: asString(info?.reason),
    message: asString(error?.message),
    retryAfterS: Number.isFinite(seconds) && seconds >= 0 ? Math.ceil(seconds) : undefined,
  }
}

type Class = Pick<UpstreamFailure, 'errorClass' | 'fallback'>
const byName: Readonly<Record<string, Class>> = {
  RESOURCE_EXHAUSTED: { errorClass: 'rateLimit', fallback: true },
  UNAVAILABLE: { errorClass: 'overload', fallback: true },
  DEADLINE_EXCEEDED: { errorClass: 'timeout', fallback: true },
  INTERNAL: { errorClass: 'unavailable', fallback: true },
  UNAUTHENTICATED: { errorClass: 'unavailable', fallback: true },
  PERMISSION_DENIED: { errorClass: 'unavailable', fallback: true },
  NOT_FOUND: { errorClass: 'unavailable', fallback: true },
  // The account's place or billing, which is ours to bridge.
  FAILED_PRECONDITION: { errorClass: 'unavailable', fallback: true },
}

/** Why a Gemini server refused, by status, name and reason. A wrong key comes as INVALID_ARGUMENT. */
export function classifyGeminiFailure(status: number, body: unknown): UpstreamFailure {
  const { name, reason, message, retryAfterS } = readGeminiError(body)
  const isKey = reason?.startsWith('API_KEY_') === true
  const known: Class | undefined = isKey
    ? { errorClass: 'unavailable', fallback: true }
    : name === 'INVALID_ARGUMENT' && status >= 500
      ? { errorClass: 'invalid', fallback: false }
      : byName[name ?? '']
  const code = reason ?? name
  return {
    ...(known ?? classifyStatus(status)),
    ...(code !== undefined && { code }),
    ...(message !== undefined && { message }),
    ...(retryAfterS !== undefined && { retryAfterS }),
  }
}
