/** A value of a JSON text, with its place in the bytes. */
export type JsonNode =
  | { readonly type: 'string'; readonly start: number; readonly end: number }
  | { readonly type: 'object'; readonly members: readonly JsonEntry[] }
  | { readonly type: 'array'; readonly items: readonly JsonNode[] }
  | { readonly type: 'other' }
export interface JsonEntry {
  readonly name: string
  readonly key: { readonly start: number; readonly end: number }
  readonly value: JsonNode
}

const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a]
const [openBrace, closeBrace, openBracket, closeBracket] = [0x7b, 0x7d, 0x5b, 0x5d]
const depthMax = 512
const other: JsonNode = { type: 'other' }

/** Reads bytes that are known to be JSON; it only finds places. */
class TreeReader {
  readonly #bytes: Buffer
  #at: number

  constructor(bytes: Buffer) {
    this.#bytes = bytes
    this.#at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
  }

  value(depth: number): JsonNode {
    if (depth > depthMax) throw new RangeError('the JSON is too deep')
    this.#skipSpace()
    const first = this.#bytes[this.#at]
    if (first === quote) return { type: 'string', ...this.#string() }
    if (first === openBrace) return this.#object(depth)
    if (first === openBracket) return this.#array(depth)
    this.#skipScalar()
    return other
  }

  #object(depth: number): JsonNode {
    const members: JsonEntry[] = []
    this.#at++
    for (this.#skipSpace(); this.#bytes[this.#at] !== closeBrace; this.#skipSpace()) {
      if (this.#bytes[this.#at] === comma) {
        this.#at++
        continue
      }
      if (this.#bytes[this.#at] !== quote) throw new SyntaxError('an object has a member without a name')
      const key = this.#string()
      this.#skipSpace()
      if (this.#bytes[this.#at] !== colon) throw new SyntaxError('a member has no value')
      this.#at++
      members.push({ name: stringAt(this.#bytes, key), key, value: this.value(depth + 1) })
    }
    this.#at++
    return { type: 'object', members }
  }

  #array(depth: number): JsonNode {
    const items: JsonNode[] = []
    this.#at++
    for (this.#skipSpace(); this.#bytes[this.#at] !== closeBracket; this.#skipSpace()) {
      if (this.#at >= this.#bytes.length) throw new SyntaxError('an array does not end')
      if (this.#bytes[this.#at] === comma) this.#at++
      else items.push(this.value(depth + 1))
    }
    this.#at++
    return { type: 'array', items }
  }

  #string(): { start: number; end: number } {
    const start = this.#at
    let end = this.#bytes.indexOf(quote, start + 1)
    for (; end !== -1; end = this.#bytes.indexOf(quote, end + 1)) {
      let slashes = 0
      while (this.#bytes[end - 1 - slashes] === backslash) slashes++
      if (slashes % 2 === 0) break
    }
    if (end === -1) throw new SyntaxError('a string does not end')
    this.#at = end + 1
    return { start, end: end + 1 }
  }

  #skipScalar(): void {
    const start = this.#at
    while (this.#at < this.#bytes.length && !this.#endsScalar(this.#bytes[this.#at])) this.#at++
    if (this.#at === start) throw new SyntaxError('a value is missing')
  }

  #endsScalar(byte: number | undefined): boolean {
    return byte === comma || byte === closeBrace || byte === closeBracket || isSpace(byte)
  }

  #skipSpace(): void {
    while (isSpace(this.#bytes[this.#at])) this.#at++
  }
}

const isSpace = (byte: number | undefined): boolean =>
  byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

/** The string at a place, quotes included in the place. */
export function stringAt(
  bytes: Buffer,
  { start, end }: { readonly start: number; readonly end: number },
): string {
  const text = bytes.toString('utf8', start, end)
  return text.includes('\\') ? String(JSON.parse(text)) : text.slice(1, -1)
}

/** The tree of a JSON text. Throws SyntaxError for what is none, RangeError for one too deep. */
export function readJsonTree(bytes: Buffer): JsonNode {
  return new TreeReader(bytes).value(0)
}
