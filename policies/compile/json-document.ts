import { DocumentError, SourceDocument, type SourceNode } from './source-document.ts'
import { TextPositions } from './text-position.ts'

const depthMax = 64
const noChildren: ReadonlyMap<string, SourceNode> = new Map()
const scalarToken = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null/y
const space = /[ \t\r\n]*/y

interface Parsed {
  readonly value: unknown
  readonly node: SourceNode
}

/** JSON by the letter (RFC 8259), with the place of every value. Names may stand once in an object. */
class JsonReader {
  readonly #text: string
  readonly #positions: TextPositions
  #at = 0

  constructor(text: string, positions: TextPositions) {
    this.#text = text
    this.#positions = positions
  }

  #fail(message: string, offset = this.#at): never {
    throw new DocumentError(message, this.#positions.at(offset))
  }

  #skipSpace(): void {
    space.lastIndex = this.#at
    space.exec(this.#text)
    this.#at = space.lastIndex
  }

  /** Whether the next character is this one; passes over it. */
  #take(character: string): boolean {
    this.#skipSpace()
    if (this.#text[this.#at] !== character) return false
    this.#at++
    return true
  }

  #whatIsHere(): string {
    const character = this.#text[this.#at]
    return character === undefined ? 'the file ends' : `there is ${JSON.stringify(character)}`
  }

  #scalar(expected: string): Parsed {
    scalarToken.lastIndex = this.#at
    const token = scalarToken.exec(this.#text)?.[0]
    if (token === undefined) return this.#fail(`expected ${expected}, but ${this.#whatIsHere()}`)
    const offset = this.#at
    try {
      const value: unknown = JSON.parse(token)
      this.#at += token.length
      return { value, node: { offset, end: this.#at, children: noChildren } }
    } catch {
      return this.#fail(`not a JSON value: ${token.slice(0, 40)}`)
    }
  }

  #object(depth: number): Parsed {
    const offset = this.#at++
    const children = new Map<string, SourceNode>()
    const entries: [string, unknown][] = []
    if (!this.#take('}')) {
      do {
        this.#skipSpace()
        const keyOffset = this.#at
        const comma = this.#text.slice(0, keyOffset).trimEnd().length - 1
        if (this.#text[keyOffset] === '}' && this.#text[comma] === ',')
          this.#fail('expected a member after this comma: the last one of an object has none', comma)
        if (this.#text[keyOffset] !== '"') this.#fail(`expected a name in quotes, but ${this.#whatIsHere()}`)
        const name = String(this.#scalar('a name').value)
        if (children.has(name)) this.#fail(`"${name}" stands twice`, keyOffset)
        if (name === '__proto__') this.#fail('"__proto__" cannot be a name', keyOffset)
        if (!this.#take(':')) this.#fail(`expected ":" after "${name}", but ${this.#whatIsHere()}`)
        const { value, node } = this.value(depth + 1)
        children.set(name, { ...node, keyOffset })
        entries.push([name, value])
      } while (this.#take(','))
      if (!this.#take('}')) this.#fail(`expected "," or "}", but ${this.#whatIsHere()}`)
    }
    return { value: Object.fromEntries(entries), node: { offset, end: this.#at, children } }
  }

  #array(depth: number): Parsed {
    const offset = this.#at++
    const children = new Map<string, SourceNode>()
    const values: unknown[] = []
    if (!this.#take(']')) {
      do {
        const { value, node } = this.value(depth + 1)
        children.set(String(values.length), node)
        values.push(value)
      } while (this.#take(','))
      if (!this.#take(']')) this.#fail(`expected "," or "]", but ${this.#whatIsHere()}`)
    }
    return { value: values, node: { offset, end: this.#at, children } }
  }

  value(depth: number): Parsed {
    this.#skipSpace()
    const comma = this.#text[this.#at] === ']' ? this.#text.slice(0, this.#at).trimEnd().length - 1 : -1
    if (this.#text[comma] === ',')
      this.#fail('expected a value after this comma: the last one of a list has none', comma)
    if (depth > depthMax) this.#fail(`nested deeper than ${depthMax}`)
    if (this.#text[this.#at] === '{') return this.#object(depth)
    if (this.#text[this.#at] === '[') return this.#array(depth)
    return this.#scalar('a value')
  }

  document(): Parsed {
    const parsed = this.value(0)
    this.#skipSpace()
    if (this.#at < this.#text.length) this.#fail(`expected the end of the file, but ${this.#whatIsHere()}`)
    return parsed
  }
}

/** Parses a JSON file. Throws DocumentError. */
export function parseJsonDocument(file: string, text: string): SourceDocument {
  const positions = new TextPositions(text)
  const { value, node } = new JsonReader(text, positions).document()
  return new SourceDocument(file, { value, root: node, text, positions })
}
