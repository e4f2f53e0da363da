import type { RedactedSpan } from '@signalbox/policies'
import { escapeJson } from './escapes.ts'

/** Things of one call that can be put back. */
const placeholdersMax = 10_000
const longestPlaceholder = 80

/** What was taken out of a call and stands there as `[EMAIL_1]`; the same text always has the same placeholder. */
export class Placeholders {
  readonly #byText = new Map<string, string>()
  readonly #byPlaceholder = new Map<string, string>()
  readonly #counts = new Map<string, number>()

  get isEmpty(): boolean {
    return this.#byPlaceholder.size === 0
  }

  /** Spans with placeholders in place of what is put back later. `text` is what the spans are of. */
  of(spans: readonly RedactedSpan[], text: string): RedactedSpan[] {
    return spans.map((span) => {
      if (span.reversible === undefined) return span
      const found = this.#placeholderOf(text.slice(span.start, span.end), span.reversible, text)
      return found === undefined ? span : { ...span, replacement: found }
    })
  }

  #placeholderOf(taken: string, kind: string, text: string): string | undefined {
    const known = this.#byText.get(taken)
    if (known !== undefined) return known
    if (this.#byPlaceholder.size >= placeholdersMax) return undefined
    const name = kind
      .replace(/([a-z])([A-Z])/g, '$1_$2')
      .toUpperCase()
      .slice(0, 64)
    let made: string
    do {
      const count = (this.#counts.get(name) ?? 0) + 1
      this.#counts.set(name, count)
      made = `[${name}_${count}]`
      // One that the caller wrote himself is not ours.
    } while (text.includes(made))
    this.#byText.set(taken, made)
    this.#byPlaceholder.set(made, taken)
    return made
  }

  /** A text with what was taken out put back. `nested`: the text is JSON, and stays so. */
  restore(text: string, nested: boolean): string {
    if (this.isEmpty || !text.includes('[')) return text
    return text.replace(/\[[A-Z][A-Z0-9_]{0,70}_\d{1,6}\]/g, (found) => {
      const taken = this.#byPlaceholder.get(found)
      if (taken === undefined) return found
      return nested ? escapeJson(taken) : taken
    })
  }

  /** Where the end of a text may be the beginning of a placeholder; its length where it is not. */
  openEnd(text: string): number {
    if (this.isEmpty) return text.length
    const start = text.lastIndexOf('[')
    if (start === -1 || text.length - start > longestPlaceholder) return text.length
    return /^\[[A-Z0-9_]*$/.test(text.slice(start)) ? start : text.length
  }
}
