import type { Finding, ProblemList } from './problem-list.ts'
import { type Position, startOfFile, type TextPositions } from './text-position.ts'

/** Members and indexes from the root of a document. */
export type DocumentPath = readonly (string | number)[]

/** Where a value of a document stands, and its members by name or index. */
export interface SourceNode {
  readonly offset: number
  readonly end: number
  /** Where its name stands; absent in a list and for the root. */
  readonly keyOffset?: number
  readonly children: ReadonlyMap<string, SourceNode>
}

/** A parsed JSON or YAML file that knows where each of its values stands. */
export class SourceDocument {
  readonly file: string
  readonly value: unknown
  readonly text: string
  readonly #root: SourceNode
  readonly #positions: TextPositions

  constructor(
    file: string,
    parsed: { value: unknown; root: SourceNode; text: string; positions: TextPositions },
  ) {
    this.file = file
    this.value = parsed.value
    this.text = parsed.text
    this.#root = parsed.root
    this.#positions = parsed.positions
  }

  #find(path: DocumentPath): SourceNode {
    let node = this.#root
    for (const part of path) {
      const child = node.children.get(String(part))
      if (child === undefined) return node
      node = child
    }
    return node
  }

  /** Position of a value, or of its name; of the nearest thing around it where the path leads nowhere. */
  locate(path: DocumentPath, part: 'key' | 'value' = 'value'): Position {
    const node = this.#find(path)
    return this.#positions.at(part === 'key' ? (node.keyOffset ?? node.offset) : node.offset)
  }

  /** Where a value begins and ends. */
  extentOf(path: DocumentPath): { readonly start: Position; readonly end: Position } {
    const { offset, end } = this.#find(path)
    return { start: this.#positions.at(offset), end: this.#positions.at(end) }
  }

  /** Offsets of a value in the text. */
  spanOf(path: DocumentPath): { start: number; end: number } {
    const { offset, end } = this.#find(path)
    return { start: offset, end }
  }

  /** The value as it is written, on one line. */
  textOf(path: DocumentPath): string {
    const node = this.#find(path)
    return this.text.slice(node.offset, node.end).replace(/\s+/g, ' ')
  }

  report(problems: ProblemList, path: DocumentPath, finding: Finding, part?: 'key' | 'value'): void {
    problems.add(this.file, this.locate(path, part), finding)
  }
}

/** Why a file is no JSON or YAML. */
export class DocumentError extends Error {
  readonly position: Position
  constructor(message: string, position: Position = startOfFile) {
    super(message)
    this.position = position
  }
}

/** Parses, and reports what does not parse. */
export function parseOrReport(
  parse: () => SourceDocument,
  file: string,
  problems: ProblemList,
): SourceDocument | undefined {
  try {
    return parse()
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error
    problems.add(file, error.position, { code: 'syntax', message: error.message })
    return undefined
  }
}
