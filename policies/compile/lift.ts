import type { Expression } from '@signalbox/sdk/contract'
import type { AnyNode } from 'acorn'
import { chainOf, resolveChain } from './fact-chain.ts'
import {
  type CallNode,
  factOf,
  inlined,
  type LiftScope,
  listOf,
  operandOf,
  paramOf,
  scalarOf,
  wholeFact,
} from './lift-operand.ts'
import { resultOf } from './module-graph.ts'
import { apiName, isFunction } from './ts-scope.ts'

type Binary = Extract<AnyNode, { type: 'BinaryExpression' }>

const comparisons = { '===': 'eq', '!==': 'ne', '<': 'lt', '<=': 'lte', '>': 'gt', '>=': 'gte' } as const

function isUndefined(node: AnyNode): boolean {
  return node.type === 'Identifier' && node.name === 'undefined'
}

/** `f.x !== undefined`, `f.x != null`: a test for presence, as `has`. */
function presenceOf(node: Binary, around: LiftScope): Expression | undefined {
  const { operator, right } = node
  const isStrict = operator === '===' || operator === '!=='
  const isLoose = operator === '==' || operator === '!='
  const isMissing = isUndefined(right) || (isLoose && right.type === 'Literal' && right.raw === 'null')
  if (node.left.type === 'PrivateIdentifier' || !isMissing || !(isStrict || isLoose)) return undefined
  const fact = wholeFact(node.left, around)
  if (fact === undefined) return undefined
  const has = { has: fact.path }
  return operator.startsWith('!') ? has : { not: has }
}

function comparisonOf(node: Binary, around: LiftScope): Expression | undefined {
  if (node.left.type === 'PrivateIdentifier') return undefined
  if (node.operator === 'in') {
    const owner = chainOf(node.right, around.bindings)
    const name = scalarOf(node.left, around)
    if (owner === undefined || typeof name !== 'string') return undefined
    const fact = resolveChain([...owner, name], around.facts)
    return 'unknown' in fact || fact.rest.length > 0 ? undefined : { has: fact.path }
  }
  const presence = presenceOf(node, around)
  if (presence !== undefined) return presence
  const name = Object.hasOwn(comparisons, node.operator)
    ? comparisons[node.operator as keyof typeof comparisons]
    : undefined
  const left = operandOf(node.left, around)
  const right = operandOf(node.right, around)
  if (name === undefined || left === undefined || right === undefined) return undefined
  const operands: [Expression, Expression] = [left, right]
  switch (name) {
    case 'eq':
      return { eq: operands }
    case 'ne':
      return { ne: operands }
    case 'lt':
      return { lt: operands }
    case 'lte':
      return { lte: operands }
    case 'gt':
      return { gt: operands }
    case 'gte':
      return { gte: operands }
  }
}

function bucketOf(node: CallNode, around: LiftScope): Expression | undefined {
  const [facts, options] = node.arguments
  if (facts === undefined || chainOf(facts, around.bindings)?.length !== 0) return undefined
  if (options?.type !== 'ObjectExpression') return undefined
  const members = new Map<string, Expression | undefined>()
  for (const property of options.properties) {
    if (property.type !== 'Property' || property.computed || property.key.type !== 'Identifier')
      return undefined
    members.set(property.key.name, operandOf(property.value, around))
  }
  const rollout = members.get('rollout')
  const ppm = members.get('ppm')
  return typeof rollout !== 'string' || ppm === undefined ? undefined : { bucket: { rollout, ppm } }
}

/** `list.some((item) => …)`: a condition over each member of a list. */
function walkOf(name: 'some' | 'every', node: CallNode, around: LiftScope): Expression | undefined {
  const [check, second] = node.arguments
  const { callee } = node
  if (callee.type !== 'MemberExpression' || callee.object.type === 'Super' || second !== undefined)
    return undefined
  const list = listOf(callee.object, around)
  const [item, index] = isFunction(check) ? check.params : []
  const result = isFunction(check) ? resultOf(check) : undefined
  const isNested = [...(around.values ?? [])].some(([, value]) => Object(value).item === true)
  if (
    list === undefined ||
    result === undefined ||
    item?.type !== 'Identifier' ||
    index !== undefined ||
    isNested
  ) {
    return undefined
  }
  const values = new Map([...(around.values ?? []), [item.name, { item: true }] as const])
  const bindings = new Map([...around.bindings].filter(([bound]) => bound !== item.name))
  const condition = liftCondition(result, { ...around, bindings, values })
  if (condition === null) return undefined
  return name === 'some' ? { some: [list, condition] } : { every: [list, condition] }
}

const textTests = { startsWith: 'startsWith', endsWith: 'endsWith', includes: 'contains' } as const

/** A test of a text. One that is passed over where the text is missing (`?.`) is false there. */
function textTestOf(
  name: keyof typeof textTests,
  parts: { readonly text: AnyNode; readonly part: Expression; readonly maybe: boolean },
  around: LiftScope,
): Expression | undefined {
  const { part, maybe } = parts
  const found = operandOf(parts.text, around)
  if (found === undefined || (maybe && (typeof part !== 'string' || part === ''))) return undefined
  const isBareFact = maybe && typeof Object(found).fact === 'string' && Object(found).or === undefined
  const text: Expression = isBareFact ? { ...Object(found), or: '' } : found
  if (name === 'startsWith') return { startsWith: [text, part] }
  return name === 'endsWith' ? { endsWith: [text, part] } : { contains: [text, part] }
}

function callOf(node: CallNode, around: LiftScope, maybe: boolean): Expression | undefined {
  if (apiName(node.callee, around.scope) === 'inBucket') return bucketOf(node, around)
  const { callee } = node
  if (callee.type === 'Identifier') {
    const call = inlined(node, around)
    return (call && liftCondition(call.node, call.around)) ?? undefined
  }
  const [argument, second] = node.arguments
  if (callee.type !== 'MemberExpression' || callee.computed || callee.property.type !== 'Identifier')
    return undefined
  if (argument === undefined || second !== undefined || callee.object.type === 'Super') return undefined
  const { name } = callee.property
  if (name === 'some' || name === 'every') return walkOf(name, node, around)
  const operand = operandOf(argument, around)
  if (operand === undefined) return undefined
  const list = name === 'includes' || name === 'has' ? listOf(callee.object, around) : undefined
  if (list !== undefined) return { in: [operand, list] }
  return name === 'startsWith' || name === 'endsWith' || name === 'includes'
    ? textTestOf(name, { text: callee.object, part: operand, maybe }, around)
    : undefined
}

/** A condition with its parts; null where one of them says more than data can. */
function liftCondition(node: AnyNode, around: LiftScope): Expression | null {
  if (node.type === 'LogicalExpression' && node.operator !== '??') {
    const left = liftCondition(node.left, around)
    const right = liftCondition(node.right, around)
    if (left === null || right === null) return null
    return node.operator === '&&' ? { all: [left, right] } : { any: [left, right] }
  }
  if (node.type === 'UnaryExpression' && node.operator === '!') {
    const inner = liftCondition(node.argument, around)
    return inner === null ? null : { not: inner }
  }
  return liftAtom(node, around)
}

/** An atomic condition as data; null where it says more than data can. */
export function liftAtom(node: AnyNode, around: LiftScope): Expression | null {
  if (node.type === 'ChainExpression' && node.expression.type === 'CallExpression') {
    return callOf(node.expression, around, true) ?? null
  }
  if (node.type === 'Literal' && typeof node.value === 'boolean') return node.value
  if (node.type === 'BinaryExpression') return comparisonOf(node, around) ?? null
  const param = paramOf(node, around)
  if (param !== undefined) return { param }
  if (node.type === 'CallExpression') return callOf(node, around, false) ?? null
  if (node.type === 'LogicalExpression' && node.operator === '??') {
    const operand = operandOf(node, around)
    return typeof Object(operand).or === 'boolean' ? (operand ?? null) : null
  }
  const whole = wholeFact(node, around)
  // An object is as good as true where it is there.
  if (whole?.type.kinds.size === 1 && whole.type.kinds.has('object')) return { has: whole.path }
  const fact = factOf(node, around)
  return fact?.isBoolean ? { fact: fact.path } : null
}
