/** Where something stands in a text. Both count from 1; columns count UTF-16 units, as editors and tsc do. */
export interface Position {
  readonly line: number
  readonly column: number
}
export const startOfFile: Position = { line: 1, column: 1 }

/** Turns offsets of a text into positions. */
export class TextPositions {
  readonly #lineStarts: number[] = [0]

  constructor(text: string) {
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1))
      this.#lineStarts.push(at + 1)
  }

  at(offset: number): Position {
    let low = 0
    let high = this.#lineStarts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: offset - (this.#lineStarts[low] ?? 0) + 1 }
  }

  /** Offset of the start of a line, which counts from 1. */
  startOf(line: number): number {
    return this.#lineStarts[line - 1] ?? 0
  }
}
