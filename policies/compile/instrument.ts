import type { Node } from 'acorn'
import { runtimeImports } from './json-module.ts'
import { encodeSourceMap, type Mapping } from './source-map.ts'
import type { TsSource } from './ts-source.ts'

/** Text put into a source. At one offset, what closes comes before what opens, and the outer stays outside. */
export interface Insertion {
  readonly offset: number
  readonly text: string
  readonly opens: boolean
  /** Length of the piece that is wrapped. */
  readonly span: number
}

/** Puts text around a piece of code. */
export function wrap(node: Node, before: string, after: string): [Insertion, Insertion] {
  const span = node.end - node.start
  return [
    { offset: node.start, text: before, opens: true, span },
    { offset: node.end, text: after, opens: false, span },
  ]
}

function inOrder(a: Insertion, b: Insertion): number {
  if (a.offset !== b.offset) return a.offset - b.offset
  if (a.opens !== b.opens) return a.opens ? 1 : -1
  return a.opens ? b.span - a.span : a.span - b.span
}

/**
 * The source with what is to be inserted, and a map from it to the source by token. Nothing inserted holds a line
 * break, so lines stay what they were; the imports that the insertions need go to the end of the file.
 */
export function instrument(
  source: TsSource,
  insertions: readonly Insertion[],
): { readonly code: string; readonly map: string } {
  const ordered = [...insertions].sort(inOrder)
  const mappings: Mapping[] = []
  let code = ''
  let at = 0
  let next = 0
  let lineShift = 0
  let line = 0
  for (const token of source.tokens) {
    for (let insertion = ordered[next]; insertion !== undefined; insertion = ordered[next]) {
      if (insertion.offset > token.start) break
      code += source.text.slice(at, insertion.offset) + insertion.text
      at = insertion.offset
      const row = source.positions.at(insertion.offset).line
      if (row !== line) lineShift = 0
      line = row
      lineShift += insertion.text.length
      next++
    }
    const position = source.positions.at(token.start)
    const shift = position.line === line ? lineShift : 0
    mappings.push({
      line: position.line - 1,
      column: position.column - 1 + shift,
      sourceLine: position.line - 1,
      sourceColumn: position.column - 1,
    })
  }
  for (const insertion of ordered.slice(next)) {
    code += source.text.slice(at, insertion.offset) + insertion.text
    at = insertion.offset
  }
  code += source.text.slice(at)
  const map = encodeSourceMap({ file: source.file, text: source.text }, mappings)
  return { code: `${code}\n${runtimeImports};`, map }
}
