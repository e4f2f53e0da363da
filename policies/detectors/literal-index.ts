import { classOf, isAt, letter, word } from './characters.ts'

interface Entry<T> {
  readonly literal: string
  readonly value: T
}

/** Small letter of a capital: ASCII, Latin-1 and Russian ones. */
const smallOf = (code: number): number =>
  (code >= 65 && code <= 90) || (code >= 0xc0 && code <= 0xde) || (code >= 0x410 && code <= 0x42f)
    ? code + 32
    : code

/**
 * Finds literals in a text in one pass, by their first two characters, without regard to case. Those that begin or end
 * with a Latin letter are whole words, others are found anywhere.
 */
export class LiteralIndex<T> {
  readonly #entries = new Map<number, Entry<T>[]>()
  readonly #firsts = new Uint8Array(0x10000)

  /** Literals are in small letters and have two characters or more. */
  constructor(literals: Iterable<readonly [literal: string, value: T]>) {
    for (const [literal, value] of literals) {
      const key = (literal.charCodeAt(0) << 16) | literal.charCodeAt(1)
      const entries = this.#entries.get(key) ?? []
      entries.push({ literal, value })
      this.#entries.set(
        key,
        entries.sort((a, b) => b.literal.length - a.literal.length),
      )
      this.#firsts[literal.charCodeAt(0)] = 1
    }
  }

  /**
   * Tells of each literal, the longest at its place, until `found` says from where to go on (at or before the index:
   * with the next character) or -1 to stop.
   */
  scan(text: string, found: (index: number, end: number, value: T) => number): void {
    for (let index = 0, wasWord = false; index < text.length; index++) {
      const raw = text.charCodeAt(index)
      const isWord = (classOf(raw) & word) !== 0
      const isInside = isWord && wasWord
      wasWord = isWord
      if (isInside) continue
      const code = smallOf(raw)
      if (this.#firsts[code] !== 1) continue
      const entry = this.#at(text, index, code)
      if (entry === undefined) continue
      const next = found(index, index + entry.literal.length, entry.value)
      if (next === -1) return
      if (next <= index) continue
      index = next - 1
      wasWord = isAt(text, index, word)
    }
  }

  #at(text: string, index: number, code: number): Entry<T> | undefined {
    const second = smallOf(text.charCodeAt(index + 1))
    const entries = this.#entries.get((code << 16) | second)
    return entries?.find(
      ({ literal }) => startsWith(text, index, literal) && isWhole(text, index + literal.length),
    )
  }
}

/** Whether a literal that ends at an index is no part of a longer Latin word. */
const isWhole = (text: string, end: number): boolean =>
  !isAt(text, end - 1, letter) || !isAt(text, end, letter)

function startsWith(text: string, start: number, literal: string): boolean {
  for (let index = 0; index < literal.length; index++) {
    if (smallOf(text.charCodeAt(start + index)) !== literal.charCodeAt(index)) return false
  }
  return true
}
