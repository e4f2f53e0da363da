import type { Expression } from '@signalbox/sdk/contract'
import type { AnyNode } from 'acorn'
import { bindPattern, chainOf, type FactBindings, type ResolvedChain, resolveChain } from './fact-chain.ts'
import type { FactSchema } from './fact-types.ts'
import { type ModuleGraph, resultOf } from './module-graph.ts'
import type { TsScope } from './ts-scope.ts'

/** What lifting needs to know of the code around a condition. */
export interface LiftScope {
  readonly bindings: FactBindings
  readonly scope: TsScope
  readonly graph: ModuleGraph
  readonly facts: FactSchema
  /** Names that stand for operands: parameters of a function that was called, the member at hand of a list. */
  readonly values?: ReadonlyMap<string, Expression>
  /** How many calls of functions lead here. */
  readonly depth?: number
}
export type CallNode = Extract<AnyNode, { type: 'CallExpression' }>
export type Scalar = string | number | boolean | null
const callsFollowedMax = 8

export function scalarOf(node: AnyNode, { scope, graph, bindings, values }: LiftScope): Scalar | undefined {
  if (node.type === 'Literal') {
    const { value } = node
    const isScalar =
      value === null ? node.raw === 'null' : ['string', 'number', 'boolean'].includes(typeof value)
    return isScalar ? (value as Scalar) : undefined
  }
  if (node.type === 'Identifier') {
    const isOwn = bindings.has(node.name) || values?.has(node.name)
    return isOwn ? undefined : graph.findLiteral(node.name, scope)
  }
  if (node.type === 'UnaryExpression' && node.operator === '-' && node.argument.type === 'Literal') {
    return typeof node.argument.value === 'number' ? -node.argument.value : undefined
  }
  const [quasi] = node.type === 'TemplateLiteral' && node.expressions.length === 0 ? node.quasis : []
  return quasi?.value.cooked ?? undefined
}

/** The fact that plain member access leads to, and nothing after it. */
export function wholeFact(node: AnyNode, around: LiftScope): ResolvedChain | undefined {
  const chain = chainOf(node, around.bindings)
  if (chain === undefined || chain.length === 0) return undefined
  const fact = resolveChain(chain, around.facts)
  return 'unknown' in fact || fact.rest.length > 0 ? undefined : fact
}

/** A fact that is a scalar or a list. */
export function factOf(node: AnyNode, around: LiftScope): { path: string; isBoolean: boolean } | undefined {
  const fact = wholeFact(node, around)
  if (fact === undefined || fact.type.kinds.has('object')) return undefined
  return { path: fact.path, isBoolean: fact.type.kinds.size === 1 && fact.type.kinds.has('boolean') }
}

export function paramOf(node: AnyNode, { graph, scope }: LiftScope): string | undefined {
  if (node.type !== 'CallExpression' || node.arguments.length > 0) return undefined
  return node.callee.type === 'Identifier' ? graph.findParam(node.callee.name, scope) : undefined
}

/**
 * The one expression that a function of the workspace or a pack gives, and what its names stand for in this call:
 * a function that only says something about its arguments is as good as the expression written in its place.
 */
export function inlined(
  node: CallNode,
  around: LiftScope,
): { readonly node: AnyNode; readonly around: LiftScope } | undefined {
  const { callee } = node
  const { graph, scope, facts, depth = 0 } = around
  if (callee.type !== 'Identifier' || depth >= callsFollowedMax) return undefined
  const found = graph.findFunction(callee.name, scope)
  const result = found === undefined ? undefined : resultOf(found.node)
  if (found === undefined || result === undefined || found.node.async || found.node.generator)
    return undefined
  const bindings = new Map<string, readonly string[]>()
  const values = new Map<string, Expression>()
  for (const [index, pattern] of found.node.params.entries()) {
    const argument = node.arguments[index]
    if (argument === undefined) return undefined
    const chain = chainOf(argument, around.bindings)
    const bound = chain === undefined ? undefined : bindPattern(pattern, chain)
    for (const [name, path] of bound ?? []) bindings.set(name, path)
    if (bound !== undefined) continue
    const value = operandOf(argument, around)
    if (value === undefined || pattern.type !== 'Identifier') return undefined
    values.set(pattern.name, value)
  }
  return { node: result, around: { bindings, values, scope: found.scope, graph, facts, depth: depth + 1 } }
}

/** A literal, a fact, a param, or the member at hand of a list. */
export function operandOf(node: AnyNode, around: LiftScope): Expression | undefined {
  const scalar = scalarOf(node, around)
  if (scalar !== undefined) return scalar
  const value = node.type === 'Identifier' ? around.values?.get(node.name) : undefined
  if (value !== undefined) return value
  const fact = factOf(node, around)
  if (fact !== undefined) return { fact: fact.path }
  const param = paramOf(node, around)
  if (param !== undefined) return { param }
  if (node.type === 'CallExpression') {
    const call = inlined(node, around)
    return call && operandOf(call.node, call.around)
  }
  if (node.type !== 'LogicalExpression' || node.operator !== '??') return undefined
  const left = operandOf(node.left, around)
  const or = scalarOf(node.right, around)
  const { fact: path, or: first } = Object(left)
  if (typeof path !== 'string' || or === undefined) return undefined
  // A first default that is a value is never replaced by the second.
  return first === undefined || first === null ? { fact: path, or } : left
}

/** The elements of a list that is written in place, or is a constant at the top of a file: also `new Set([…])`. */
function elementsOf(node: AnyNode, around: LiftScope): { node: AnyNode; scope: TsScope } | undefined {
  if (node.type === 'Identifier') {
    if (around.bindings.has(node.name) || around.values?.has(node.name)) return undefined
    const found = around.graph.findConstant(node.name, around.scope)
    return found && found.node.type !== 'Identifier'
      ? elementsOf(found.node, { ...around, ...found })
      : undefined
  }
  if (node.type === 'NewExpression' && node.callee.type === 'Identifier' && node.callee.name === 'Set') {
    const [list, second] = node.arguments
    return list?.type === 'ArrayExpression' && second === undefined
      ? { node: list, scope: around.scope }
      : undefined
  }
  return node.type === 'ArrayExpression' ? { node, scope: around.scope } : undefined
}

/** A list of literals, or a fact or a param that is a list. */
export function listOf(node: AnyNode, around: LiftScope): Expression | undefined {
  const written = elementsOf(node, around)
  if (written?.node.type === 'ArrayExpression') {
    const inside = { ...around, scope: written.scope }
    const items = written.node.elements.map((each) => (each === null ? undefined : scalarOf(each, inside)))
    const known = items.filter((item) => item !== undefined)
    return known.length < items.length ? undefined : known
  }
  const fact = wholeFact(node, around)
  if (fact?.type.kinds.has('list') === true) return fact.holdsObjects ? undefined : { fact: fact.path }
  const param = paramOf(node, around)
  const isList = node.type === 'CallExpression' && node.callee.type === 'Identifier'
  const kind = isList ? around.graph.paramKind(String(Object(node.callee).name), around.scope) : undefined
  return param !== undefined && kind === 'stringList' ? { param } : undefined
}
