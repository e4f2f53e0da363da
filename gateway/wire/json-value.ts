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

/** Above this the text of a body is not made a second time unless it is needed. */
const textBytesMax = 1_048_576
const [quote, backslash, dot, zero, nine, smallE, largeE] = [0x22, 0x5c, 0x2e, 0x30, 0x39, 0x65, 0x45]
/** A double holds 15 digits; a dot may be among 16 characters. */
const longDigits = 16
/** So many bytes of a string are looked at one by one. */
const nearBytes = 64

/** As `parseExact`, from the bytes of a body: large ones are mostly texts and pictures, and no numbers. */
export function parseExactBytes(raw: Buffer, json?: unknown): unknown {
  if (json !== undefined && raw.length > textBytesMax && !hasLongNumber(raw)) return json
  return parseExact(raw.toString('utf8'), json)
}

/** Looks between the strings of a JSON text, which are passed over; any exponent is one that may be too large. */
function hasLongNumber(raw: Buffer): boolean {
  let digits = 0
  for (let at = 0; at < raw.length; ) {
    const byte = raw[at++] ?? 0
    if ((byte >= zero && byte <= nine) || byte === dot) {
      if (++digits === longDigits) return true
      continue
    }
    if (digits > 0 && (byte === smallE || byte === largeE)) return true
    digits = 0
    if (byte === quote) at = endOfString(raw, at)
  }
  return false
}

/** Where a string that begins here is over, its quote included. A search is worth its cost in long ones alone. */
function endOfString(raw: Buffer, from: number): number {
  let at = from
  for (;;) {
    for (const near = at + nearBytes; at < near; ) {
      const byte = raw[at++]
      if (byte === quote || byte === undefined) return at
      if (byte === backslash) at++
    }
    const found = raw.indexOf(quote, at)
    if (found === -1) return raw.length
    let escapes = 0
    while (found - escapes > at && raw[found - escapes - 1] === backslash) escapes++
    at = found + 1
    if (escapes % 2 === 0) return at
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
