import { type AnyNode, type Node, type Program, parse, type Token } from 'acorn'
import { DocumentError } from './source-document.ts'
import { stripTypes } from './strip-types.ts'
import { type Position, TextPositions } from './text-position.ts'

/** A TypeScript or JavaScript file of a workspace, parsed. Offsets in the tree are those of the text. */
export interface TsSource {
  readonly file: string
  readonly text: string
  readonly program: Program
  readonly tokens: readonly Token[]
  readonly positions: TextPositions
  at(node: Node): Position
}

/** The nodes right below a node. */
export function childrenOf(node: Node): AnyNode[] {
  const children: AnyNode[] = []
  for (const value of Object.values(node)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      // Every object with a type in an acorn tree is a node.
      if (typeof each === 'object' && each !== null && typeof each.type === 'string') children.push(each)
    }
  }
  return children
}

/** Calls `visit` for a node and all below it; what it returns false for is passed over. */
export function walk(node: AnyNode, visit: (node: AnyNode) => boolean | undefined): void {
  if (visit(node) === false) return
  for (const child of childrenOf(node)) walk(child, visit)
}

/** Names that a pattern binds. */
export function namesInPattern(pattern: AnyNode): string[] {
  if (pattern.type === 'Identifier') return [pattern.name]
  if (pattern.type === 'ObjectPattern') {
    return pattern.properties.flatMap((each) =>
      namesInPattern(each.type === 'RestElement' ? each.argument : each.value),
    )
  }
  if (pattern.type === 'ArrayPattern') {
    return pattern.elements.flatMap((each) => (each === null ? [] : namesInPattern(each)))
  }
  if (pattern.type === 'AssignmentPattern') return namesInPattern(pattern.left)
  return pattern.type === 'RestElement' ? namesInPattern(pattern.argument) : []
}

/** Parses a file. Throws DocumentError. */
export function parseTsSource(file: string, text: string): TsSource {
  const code = file.endsWith('.ts') ? stripTypes(text) : text
  const tokens: Token[] = []
  const positions = new TextPositions(text)
  try {
    const program = parse(code, { ecmaVersion: 'latest', sourceType: 'module', onToken: tokens })
    return { file, text, program, tokens, positions, at: (node) => positions.at(node.start) }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    const { pos = 0 } = error as SyntaxError & { pos?: number }
    throw new DocumentError(error.message.replace(/ \(\d+:\d+\)$/, ''), positions.at(pos))
  }
}
