import type { AnyNode } from 'acorn'
import {
  type FactSchema,
  hasMembers,
  lookUpFact,
  memberOf,
  typeOfSchema,
  type ValueType,
} from './fact-types.ts'

/** Names that stand for the facts, or for a part of them: `f` → [], `metadata` → ['request', 'metadata']. */
export type FactBindings = ReadonlyMap<string, readonly string[]>

function propertyName(node: Extract<AnyNode, { type: 'MemberExpression' }>): string | undefined {
  const { property, computed } = node
  if (!computed) return property.type === 'Identifier' ? property.name : undefined
  return property.type === 'Literal' && typeof property.value === 'string' ? property.value : undefined
}

/** The path that plain member access leads to, from the facts on; undefined for any other expression. */
export function chainOf(node: AnyNode, bindings: FactBindings): readonly string[] | undefined {
  if (node.type === 'Identifier') return bindings.get(node.name)
  if (node.type === 'ChainExpression') return chainOf(node.expression, bindings)
  if (node.type !== 'MemberExpression') return undefined
  const name = propertyName(node)
  const before = name === undefined ? undefined : chainOf(node.object, bindings)
  return before === undefined || name === undefined ? undefined : [...before, name]
}

/** What binding a parameter or a pattern to a part of the facts gives names to; undefined where that is not plain. */
export function bindPattern(
  pattern: AnyNode,
  path: readonly string[],
): [name: string, path: readonly string[]][] | undefined {
  if (pattern.type === 'Identifier') return [[pattern.name, path]]
  if (pattern.type !== 'ObjectPattern') return undefined
  const bound: [string, readonly string[]][] = []
  for (const property of pattern.properties) {
    if (property.type !== 'Property' || property.computed || property.key.type !== 'Identifier')
      return undefined
    const inner = bindPattern(property.value, [...path, property.key.name])
    if (inner === undefined) return undefined
    bound.push(...inner)
  }
  return bound
}

/** Where a path ends in the facts. */
export interface ResolvedChain {
  /** The fact, as a path. */
  readonly path: string
  /** What follows it: `length`, the name of a method. */
  readonly rest: readonly string[]
  readonly type: ValueType
  /** The fact is an object or a list: whoever has it can hand it on. */
  readonly isWhole: boolean
  /** A list of objects: whoever walks it has them. */
  readonly holdsObjects: boolean
}

/** Finds the fact that a chain reads; what the author mistook as `unknown`. The chain is not empty. */
export function resolveChain(
  chain: readonly string[],
  facts: FactSchema,
): ResolvedChain | { readonly unknown: string } {
  let schema = facts
  let taken = 0
  for (const name of chain) {
    if (!hasMembers(schema)) break
    const member = memberOf(schema, name)
    if (member === undefined) {
      const fact = lookUpFact(facts, chain.slice(0, taken + 1).join('.'))
      return { unknown: 'unknown' in fact ? fact.unknown : name }
    }
    schema = member.schema
    taken++
  }
  const type = typeOfSchema(schema)
  const isWhole = type.kinds.has('object') || type.kinds.has('list')
  const holdsObjects = type.items?.kinds.has('object') === true
  return { path: chain.slice(0, taken).join('.'), rest: chain.slice(taken), type, isWhole, holdsObjects }
}
