import { Refusal } from '@signalbox/sdk/contract'

/** Reading of JSON that others wrote: a value of the wanted type, or undefined. */
export type JsonObject = Readonly<Record<string, unknown>>

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawNumber(value)
}
export function asObject(value: unknown): JsonObject | undefined {
  return isObject(value) ? value : undefined
}
/** The list, or an empty one. */
export function asArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
export function asString(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
export function asNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  return isRawNumber(value) ? Number(value.rawJSON) : undefined
}
/** A count: a whole number, not negative. */
export function asCount(value: unknown): number | undefined {
  const number = asNumber(value)
  return number !== undefined && Number.isSafeInteger(number) && number >= 0 ? number : undefined
}
export function asBoolean(value: unknown): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined
}

/** A number kept as its own text; JSON.stringify writes it as it was. */
interface RawNumber {
  readonly rawJSON: string
}
/** `JSON.parse source text access` (ES2026), which the compiler's library does not know yet. */
interface ExactJson {
  rawJSON(text: string): RawNumber
  isRawJSON(value: unknown): value is RawNumber
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown
}
const exactJson = JSON as typeof JSON & ExactJson

function isRawNumber(value: unknown): value is RawNumber {
  return exactJson.isRawJSON(value)
}

const byteOrderMark = 0xfeff
/** Text in which a number may stand that a double cannot hold: 16 digits in a row, or a large exponent. */
const longNumber = /[0-9.]{16}|[eE][+-]?[0-9]{3}/

/**
 * Parses JSON so that numbers which a double would change are written back as they came. `json` is the plainly
 * parsed form of the same text: it is returned where it is already exact, and where the text is nested too deeply to
 * be walked through. Throws SyntaxError.
 */
export function parseExact(text: string, json?: unknown): unknown {
  const bare = text.charCodeAt(0) === byteOrderMark ? text.slice(1) : text
  const plain = json === undefined ? (JSON.parse(bare) as unknown) : json
  if (!longNumber.test(bare)) return plain
  try {
    return exactJson.parse(bare, keepExact)
  } catch (error) {
    if (error instanceof RangeError) return plain
    throw error
  }
}

function keepExact(_key: string, value: unknown, context: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || context.source === undefined || context.source.length < 5) return value
  return isExact(value, context.source) ? value : exactJson.rawJSON(context.source)
}

/** Does what walks through a caller's JSON. Throws a Refusal `invalid_request` where that is nested too deeply. */
export function withinDepth<T>(act: () => T): T {
  try {
    return act()
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new Refusal('invalid_request', { message: 'The request is nested too deeply.' })
  }
}

function isExact(value: number, source: string): boolean {
  if (!Number.isFinite(value)) return false
  return source.length < 16 || String(value) === source
}
