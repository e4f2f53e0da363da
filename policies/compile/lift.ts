import type { Expression } from '@signalbox/sdk/contract'
import type { AnyNode } from 'acorn'
import { chainOf, type FactBindings, resolveChain } from './fact-chain.ts'
import type { FactSchema } from './fact-types.ts'
import type { ModuleGraph } from './module-graph.ts'
import { apiName, type TsScope } from './ts-scope.ts'

/** What lifting needs to know of the code around a condition. */
export interface LiftScope {
  readonly bindings: FactBindings
  readonly scope: TsScope
  readonly graph: ModuleGraph
  readonly facts: FactSchema
}
type Call = Extract<AnyNode, { type: 'CallExpression' }>
type Binary = Extract<AnyNode, { type: 'BinaryExpression' }>
type Scalar = string | number | boolean | null

const comparisons = { '===': 'eq', '!==': 'ne', '<': 'lt', '<=': 'lte', '>': 'gt', '>=': 'gte' } as const

function scalarOf(node: AnyNode, { scope, graph }: LiftScope): Scalar | undefined {
  if (node.type === 'Literal') {
    const { value } = node
    const isScalar =
      value === null ? node.raw === 'null' : ['string', 'number', 'boolean'].includes(typeof value)
    return isScalar ? (value as Scalar) : undefined
  }
  if (node.type === 'Identifier') return graph.findLiteral(node.name, scope)
  if (node.type === 'UnaryExpression' && node.operator === '-' && node.argument.type === 'Literal') {
    return typeof node.argument.value === 'number' ? -node.argument.value : undefined
  }
  const [quasi] = node.type === 'TemplateLiteral' && node.expressions.length === 0 ? node.quasis : []
  return quasi?.value.cooked ?? undefined
}

/** A fact that is a scalar or a list, and nothing after it. */
function factOf(node: AnyNode, around: LiftScope): { path: string; isBoolean: boolean } | undefined {
  const chain = chainOf(node, around.bindings)
  if (chain === undefined || chain.length === 0) return undefined
  const fact = resolveChain(chain, around.facts)
  if ('unknown' in fact || fact.rest.length > 0 || fact.type.kinds.has('object')) return undefined
  return { path: fact.path, isBoolean: fact.type.kinds.size === 1 && fact.type.kinds.has('boolean') }
}

function paramOf(node: AnyNode, { graph, scope }: LiftScope): string | undefined {
  if (node.type !== 'CallExpression' || node.arguments.length > 0) return undefined
  return node.callee.type === 'Identifier' ? graph.findParam(node.callee.name, scope) : undefined
}

function operandOf(node: AnyNode, around: LiftScope): Expression | undefined {
  const scalar = scalarOf(node, around)
  if (scalar !== undefined) return scalar
  const fact = factOf(node, around)
  if (fact !== undefined) return { fact: fact.path }
  const param = paramOf(node, around)
  if (param !== undefined) return { param }
  if (node.type !== 'LogicalExpression' || node.operator !== '??') return undefined
  const left = factOf(node.left, around)
  const or = scalarOf(node.right, around)
  return left === undefined || or === undefined ? undefined : { fact: left.path, or }
}

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
  const chain = chainOf(node.left, around.bindings)
  const fact = chain === undefined || chain.length === 0 ? undefined : resolveChain(chain, around.facts)
  if (fact === undefined || 'unknown' in fact || fact.rest.length > 0) return undefined
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

/** A list of literals, written in place or as a constant at the top of the file. */
function listOf(node: AnyNode, around: LiftScope): Expression[] | undefined {
  const written = node.type === 'Identifier' ? around.scope.constants.get(node.name) : node
  if (written?.type !== 'ArrayExpression') return undefined
  const items = written.elements.map((each) => (each === null ? undefined : scalarOf(each, around)))
  const known = items.filter((item) => item !== undefined)
  return known.length < items.length ? undefined : known
}

function bucketOf(node: Call, around: LiftScope): Expression | undefined {
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

function callOf(node: Call, around: LiftScope): Expression | undefined {
  if (apiName(node.callee, around.scope) === 'inBucket') return bucketOf(node, around)
  const { callee } = node
  const [argument, second] = node.arguments
  if (callee.type !== 'MemberExpression' || callee.computed || callee.property.type !== 'Identifier')
    return undefined
  if (argument === undefined || second !== undefined || callee.object.type === 'Super') return undefined
  const operand = operandOf(argument, around)
  if (operand === undefined) return undefined
  if (callee.property.name === 'startsWith') {
    const text = operandOf(callee.object, around)
    return text === undefined ? undefined : { startsWith: [text, operand] }
  }
  if (callee.property.name !== 'includes') return undefined
  const list = listOf(callee.object, around)
  if (list !== undefined) return { in: [operand, list] }
  const fact = chainOf(callee.object, around.bindings)
  const known = fact === undefined || fact.length === 0 ? undefined : resolveChain(fact, around.facts)
  if (known === undefined || 'unknown' in known || !known.type.kinds.has('list')) return undefined
  return known.rest.length === 0 ? { in: [operand, { fact: known.path }] } : undefined
}

/** An atomic condition as data; null where it says more than data can. */
export function liftAtom(node: AnyNode, around: LiftScope): Expression | null {
  if (node.type === 'Literal' && typeof node.value === 'boolean') return node.value
  if (node.type === 'BinaryExpression') return comparisonOf(node, around) ?? null
  const param = paramOf(node, around)
  if (param !== undefined) return { param }
  if (node.type === 'CallExpression') return callOf(node, around) ?? null
  if (node.type === 'LogicalExpression' && node.operator === '??') {
    const operand = operandOf(node, around)
    return typeof Object(operand).or === 'boolean' ? (operand ?? null) : null
  }
  const fact = factOf(node, around)
  return fact?.isBoolean ? { fact: fact.path } : null
}
