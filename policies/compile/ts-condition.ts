import type { Expression as ExpressionNode } from 'acorn'
import type { Atom, Condition } from './condition.ts'
import { bindPattern, chainOf } from './fact-chain.ts'
import type { FunctionNode } from './ts-scope.ts'

/** Names, and the facts that they stand for. */
export type Bound = [name: string, path: readonly string[]][]

/**
 * The one expression that a condition comes to, and what its names stand for: parameters, and constants that are
 * bound to facts before it. Undefined for any other body.
 */
export function conditionOf(
  node: FunctionNode,
): { result: ExpressionNode; bound: Bound; constants: Bound } | undefined {
  const [pattern] = node.params
  const bound = pattern === undefined ? [] : bindPattern(pattern, [])
  const statements = node.body.type === 'BlockStatement' ? node.body.body.slice(0, -1) : []
  const last = node.body.type === 'BlockStatement' ? node.body.body.at(-1) : undefined
  const result = node.body.type === 'BlockStatement' ? Object(last).argument : node.body
  if (bound === undefined || !result || (last !== undefined && last.type !== 'ReturnStatement'))
    return undefined
  const constants: Bound = []
  for (const statement of statements) {
    if (statement.type !== 'VariableDeclaration' || statement.kind !== 'const') return undefined
    for (const { id, init } of statement.declarations) {
      const path = init ? chainOf(init, new Map(bound)) : undefined
      const names = path === undefined ? undefined : bindPattern(id, path)
      if (names === undefined) return undefined
      bound.push(...names)
      constants.push(...names)
    }
  }
  return { result, bound, constants }
}

/** The atoms of a condition, from left to right. */
export function atomNodes(node: ExpressionNode): ExpressionNode[] {
  if (node.type === 'LogicalExpression' && node.operator !== '??') {
    return [...atomNodes(node.left), ...atomNodes(node.right)]
  }
  return node.type === 'UnaryExpression' && node.operator === '!' ? atomNodes(node.argument) : [node]
}

/** How atoms are put together, given in the order in which they stand. */
export function shapeOf(node: ExpressionNode, atoms: Iterator<Atom>): Condition {
  if (node.type === 'LogicalExpression' && node.operator !== '??') {
    const parts = [shapeOf(node.left, atoms), shapeOf(node.right, atoms)]
    return node.operator === '&&' ? { all: parts } : { any: parts }
  }
  if (node.type === 'UnaryExpression' && node.operator === '!') return { not: shapeOf(node.argument, atoms) }
  const next = atoms.next()
  return next.done === true ? { expression: null, text: '', reads: ['*'] } : next.value
}
