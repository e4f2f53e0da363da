/** A member of a JSON object: offsets of its key and value in the bytes. */
export interface JsonMember {
  readonly name: string
  readonly keyStart: number
  readonly valueStart: number
  readonly valueEnd: number
}
export interface JsonSpan {
  /** Offset after the opening brace. */
  readonly bodyStart: number
  readonly members: readonly JsonMember[]
}

const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const colon = 0x3a
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d

/**
 * The members of the object that starts at or after `from`, in order, duplicates included. The bytes are
 * UTF-8, with or without a byte order mark. Only what is needed to find the members is looked at: values are
 * skipped, not checked. Throws SyntaxError where there is no such object.
 */
export function scanObject(bytes: Buffer, from = 0): JsonSpan {
  let at = skipSpace(bytes, from === 0 ? skipByteOrderMark(bytes) : from)
  if (bytes[at] !== openBrace) throw new SyntaxError('there is no JSON object')
  const bodyStart = at + 1
  const members: JsonMember[] = []
  at = skipSpace(bytes, bodyStart)
  while (bytes[at] !== closeBrace) {
    const keyStart = at
    if (bytes[at] !== quote) throw new SyntaxError('a member has no name')
    const keyEnd = skipString(bytes, at)
    at = skipSpace(bytes, keyEnd)
    if (bytes[at] !== colon) throw new SyntaxError('a member has no value')
    const valueStart = skipSpace(bytes, at + 1)
    const valueEnd = skipValue(bytes, valueStart)
    members.push({ name: readKey(bytes, keyStart, keyEnd), keyStart, valueStart, valueEnd })
    at = skipSpace(bytes, valueEnd)
    if (bytes[at] === comma) at = skipSpace(bytes, at + 1)
    else if (bytes[at] !== closeBrace) throw new SyntaxError('an object does not end')
  }
  return { bodyStart, members }
}

/** A member of a JSON array: offsets of its value in the bytes. */
export interface JsonItem {
  readonly start: number
  readonly end: number
}

/** The members of the array that starts at `from`, in order. Throws SyntaxError where there is none. */
export function scanArray(bytes: Buffer, from: number): { bodyStart: number; items: readonly JsonItem[] } {
  if (bytes[from] !== openBracket) throw new SyntaxError('there is no JSON array')
  const items: JsonItem[] = []
  let at = skipSpace(bytes, from + 1)
  while (bytes[at] !== closeBracket) {
    const end = skipValue(bytes, at)
    items.push({ start: at, end })
    at = skipSpace(bytes, end)
    if (bytes[at] === comma) at = skipSpace(bytes, at + 1)
    else if (bytes[at] !== closeBracket) throw new SyntaxError('an array does not end')
  }
  return { bodyStart: from + 1, items }
}

export function isObjectAt(bytes: Buffer, at: number): boolean {
  return bytes[at] === openBrace
}

function skipByteOrderMark(bytes: Buffer): number {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
}

function skipSpace(bytes: Buffer, from: number): number {
  let at = from
  for (;;) {
    const byte = bytes[at]
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return at
    at++
  }
}

/**
 * `at` is the opening quote; returns the offset after the closing one. Most strings have no escapes before their
 * end, which a native search finds fastest; after the first escaped quote there will be more of them.
 */
function skipString(bytes: Buffer, at: number): number {
  const found = bytes.indexOf(quote, at + 1)
  if (found === -1) throw new SyntaxError('a string does not end')
  let slashes = 0
  while (bytes[found - 1 - slashes] === backslash) slashes++
  if (slashes % 2 === 0) return found + 1
  for (let end = found + 1; end < bytes.length; end++) {
    const byte = bytes[end]
    if (byte === quote) return end + 1
    if (byte === backslash) end++
  }
  throw new SyntaxError('a string does not end')
}

function skipValue(bytes: Buffer, from: number): number {
  const first = bytes[from]
  if (first === quote) return skipString(bytes, from)
  if (first === openBrace || first === openBracket) return skipNested(bytes, from)
  let at = from
  while (at < bytes.length && !endsScalar(bytes[at])) at++
  if (at === from) throw new SyntaxError('a value is missing')
  return at
}

function skipNested(bytes: Buffer, from: number): number {
  let depth = 0
  let at = from
  while (at < bytes.length) {
    const byte = bytes[at]
    if (byte === quote) {
      at = skipString(bytes, at)
      continue
    }
    at++
    if (byte === openBrace || byte === openBracket) depth++
    else if (byte === closeBrace || byte === closeBracket) {
      depth--
      if (depth === 0) return at
    }
  }
  throw new SyntaxError('a value does not end')
}

function endsScalar(byte: number | undefined): boolean {
  switch (byte) {
    case comma:
    case closeBrace:
    case closeBracket:
    case 0x20:
    case 0x0a:
    case 0x0d:
    case 0x09:
      return true
    default:
      return false
  }
}

function readKey(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('utf8', start, end)
  return text.includes('\\') ? String(JSON.parse(text)) : text.slice(1, -1)
}
