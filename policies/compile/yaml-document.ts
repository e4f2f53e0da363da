import { isMap, isScalar, isSeq, type Node, parseDocument } from 'yaml'
import { DocumentError, SourceDocument, type SourceNode } from './source-document.ts'
import { TextPositions } from './text-position.ts'

/** Aliases may repeat this much; more is an attempt to blow up memory. */
const aliasesMax = 100

function nodeOf(node: unknown, keyOffset: number | undefined): SourceNode {
  const [offset, end] = (node as Node | null)?.range ?? [keyOffset ?? 0, keyOffset ?? 0]
  const children = new Map<string, SourceNode>()
  if (isMap(node)) {
    for (const { key, value } of node.items) {
      const start = isScalar(key) ? key.range?.[0] : undefined
      children.set(String(isScalar(key) ? key.value : key), nodeOf(value, start))
    }
  } else if (isSeq(node)) {
    for (const [index, item] of node.items.entries()) children.set(String(index), nodeOf(item, undefined))
  }
  return { offset, end, children, ...(keyOffset !== undefined && { keyOffset }) }
}

/** Parses a YAML 1.2 file of one document, or the part of a file from `start`. Throws DocumentError. */
export function parseYamlDocument(
  file: string,
  text: string,
  part: { start: number; end: number } = { start: 0, end: text.length },
): SourceDocument {
  const positions = new TextPositions(text)
  // Blanks keep the offsets of the part those of the file.
  const blank = text.slice(0, part.start).replace(/[^\n]/g, ' ')
  const source = `${blank}${text.slice(part.start, part.end)}`
  const document = parseDocument(source, { prettyErrors: false, uniqueKeys: true, strict: true })
  const [error] = [...document.errors, ...document.warnings]
  if (error !== undefined) throw new DocumentError(error.message, positions.at(error.pos[0]))
  try {
    const value: unknown = document.toJS({ maxAliasCount: aliasesMax })
    return new SourceDocument(file, {
      value: value ?? {},
      root: nodeOf(document.contents, undefined),
      text: source,
      positions,
    })
  } catch (problem) {
    throw new DocumentError(problem instanceof Error ? problem.message : 'not valid YAML')
  }
}
