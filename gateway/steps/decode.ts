import { Refusal } from '@signalbox/sdk/contract'
import type { Call } from '../call.ts'
import type { Dialect, DialectRoute, RequestHead } from '../dialect.ts'
import { findJsonBreak } from '../json-break.ts'

/** In a longer text the break is not looked for: it would take the time of other calls. */
const searchedLengthMax = 1_048_576
const byteOrderMark = 0xfeff

function whereOf(text: string): string {
  if (text.length === 0) return ' (it is empty)'
  return text.length > searchedLengthMax ? '' : ` (position ${findJsonBreak(text)})`
}

/**
 * The JSON object of a request's body.
 * @throws Refusal `invalid_request` that says where it is none.
 */
export function readBody(raw: Buffer): Record<string, unknown> {
  const decoded = raw.toString('utf8')
  // Some Windows clients put a byte order mark first; RFC 8259 §8.1 lets a reader pass over it.
  const text = decoded.charCodeAt(0) === byteOrderMark ? decoded.slice(1) : decoded
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The engine's own message repeats the text, which must not go anywhere.
    throw new Refusal('invalid_request', { message: `The request body is not valid JSON${whereOf(text)}.` })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Refusal('invalid_request', { message: 'The request body must be a JSON object.' })
  }
  return value as Record<string, unknown>
}

/**
 * Reads a request in its dialect. The body is parsed here and nowhere else.
 * @throws Refusal `invalid_request` that names the position or the member.
 */
export function decode(
  raw: Buffer,
  dialect: Dialect,
  route: Pick<DialectRoute, 'operation'>,
  head?: RequestHead,
): Call {
  const call = head && dialect.decodeBytes?.(raw, route.operation, head)
  if (call !== undefined) return call
  const json = readBody(raw)
  try {
    return dialect.decodeRequest(raw, json, route.operation, head)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new Refusal('invalid_request', { message: 'The request body is nested too deeply.' })
  }
}
