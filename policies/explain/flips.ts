import type { Expression } from '@signalbox/sdk/contract'
import { bucketOf } from '../authoring/bucket.ts'
import { type FactSchema, memberOf, typeOfSchema } from '../compile/fact-types.ts'
import { partsOf, type Values } from './condition-text.ts'
import { factAt } from './fact-values.ts'
import { valueText } from './value-text.ts'

/** A change to one fact or one param, and what it says in general: `request.estimate.outputTokens ≤ 4,000`. */
export interface Change {
  readonly fact?: string
  readonly param?: string
  readonly from: unknown
  /** Undefined takes the fact away. */
  readonly to: unknown
  readonly shown: string
}
/** What flips are looked for in. */
export interface FlipScope extends Values {
  readonly schema: FactSchema
}
type Order = 'lt' | 'lte' | 'gt' | 'gte'

const orders: Readonly<Record<string, { sign: string; negated: Order; mirrored: Order }>> = {
  lt: { sign: '<', negated: 'gte', mirrored: 'gt' },
  lte: { sign: '≤', negated: 'gt', mirrored: 'gte' },
  gt: { sign: '>', negated: 'lte', mirrored: 'lt' },
  gte: { sign: '≥', negated: 'lt', mirrored: 'lte' },
}
/** Callers that are tried for another bucket: enough to find one outside 1 % or inside it. */
const keysMax = 512
const anotherText = 'another'

function schemaAt(root: FactSchema, path: string): FactSchema | undefined {
  const parts = path.startsWith('request.metadata.')
    ? ['request', 'metadata', path.slice('request.metadata.'.length)]
    : path.split('.')
  let schema: FactSchema | undefined = root
  for (const name of parts) schema = schema && memberOf(schema, name)?.schema
  return schema
}

/** What can be changed in an expression: a fact or a param, and its value now. */
function nameOf(expression: Expression): Pick<Change, 'fact' | 'param'> | undefined {
  const [operator, inner] = partsOf(expression) ?? []
  if (operator === 'fact') return { fact: String(inner) }
  return operator === 'param' ? { param: String(inner) } : undefined
}

/** The value of a literal, a fact or a param; undefined where it has none, or nobody knows it. */
function operandValue(expression: Expression, scope: FlipScope): unknown {
  const name = nameOf(expression)
  if (name?.param !== undefined) return scope.params[name.param]
  if (name?.fact === undefined) {
    if (!Array.isArray(expression)) return partsOf(expression) === undefined ? expression : undefined
    return expression.map((each) => operandValue(each, scope))
  }
  if (scope.masked.includes(name.fact)) return undefined
  return factAt(scope.facts, name.fact) ?? (Object(expression) as { or?: unknown }).or
}

function change(expression: Expression, to: unknown, relation: string, scope: FlipScope): Change[] {
  const name = nameOf(expression)
  if (name === undefined) return []
  const { fact, param } = name
  const from = param !== undefined ? scope.params[param] : factAt(scope.facts, fact ?? '')
  return [{ ...name, from: from ?? null, to, shown: `${fact ?? param} ${relation}` }]
}

/** Values that a fact can have and that are none of these; the absence of an optional one last. */
function otherValues(expression: Expression, not: readonly unknown[], scope: FlipScope): unknown[] {
  const { fact } = nameOf(expression) ?? {}
  const schema = fact === undefined ? undefined : schemaAt(scope.schema, fact)
  const type = schema === undefined ? undefined : typeOfSchema(schema)
  const isFree = (value: unknown) => !not.includes(value)
  const [first] = not
  const made = typeof first === 'number' ? [first + 1] : typeof first === 'boolean' ? [!first] : [anotherText]
  const known = (type?.values ?? made).filter(isFree)
  return [...known.slice(0, 2), ...(fact !== undefined && isFree(undefined) ? [undefined] : [])]
}

function flipEquality(
  [left, right]: readonly [Expression, Expression],
  equal: boolean,
  scope: FlipScope,
): Change[] {
  const sides = [
    [left, right],
    [right, left],
  ] as const
  return sides.flatMap(([changed, kept]) => {
    if (nameOf(changed) === undefined) return []
    const value = operandValue(kept, scope)
    const shown = valueText(value)
    if (equal) return value === undefined ? [] : change(changed, value, `= ${shown}`, scope)
    return otherValues(changed, [value], scope).flatMap((to) => change(changed, to, `≠ ${shown}`, scope))
  })
}

/** The whole number next to a bound that satisfies an order. */
function beside(order: Order, bound: number): number {
  if (order === 'lt') return Math.ceil(bound) - 1
  if (order === 'lte') return Math.floor(bound)
  return order === 'gt' ? Math.floor(bound) + 1 : Math.ceil(bound)
}

function flipOrder(
  operator: Order,
  [left, right]: readonly [Expression, Expression],
  scope: FlipScope,
): Change[] {
  const { mirrored } = orders[operator] ?? {}
  const sides = [
    [left, right, operator],
    [right, left, mirrored ?? operator],
  ] as const
  return sides.flatMap(([changed, kept, order]) => {
    const bound = operandValue(kept, scope)
    if (nameOf(changed) === undefined || typeof bound !== 'number') return []
    return change(changed, beside(order, bound), `${orders[order]?.sign} ${valueText(bound)}`, scope)
  })
}

function flipMembership(
  [left, right]: readonly [Expression, Expression],
  member: boolean,
  scope: FlipScope,
): Change[] {
  const list = operandValue(right, scope)
  const value = operandValue(left, scope)
  if (!Array.isArray(list)) return []
  const shown = valueText(list)
  const ofLeft = member
    ? list.slice(0, 1).flatMap((to) => change(left, to, `in ${shown}`, scope))
    : otherValues(left, list, scope).flatMap((to) => change(left, to, `not in ${shown}`, scope))
  if (nameOf(right) === undefined || value === undefined) return ofLeft
  const to = member ? [...list, value] : list.filter((each) => each !== value)
  return [...ofLeft, ...change(right, to, `${member ? 'with' : 'without'} ${valueText(value)}`, scope)]
}

/** A value that a fact which is not there could have. */
function sampleOf(path: string, scope: FlipScope): unknown[] {
  const schema = schemaAt(scope.schema, path)
  if (schema === undefined) return []
  const { values, kinds } = typeOfSchema(schema)
  if (values !== undefined) return values.slice(0, 1)
  if (kinds.has('string')) return [anotherText]
  if (kinds.has('number')) return [0]
  return kinds.has('boolean') ? [true] : kinds.has('list') ? [[]] : []
}

function flipBucket(
  inner: { rollout: string; ppm: Expression },
  inside: boolean,
  scope: FlipScope,
): Change[] {
  const { rollout, ppm } = inner
  const share = operandValue(ppm, scope)
  const key = scope.facts.subject.stickyKey
  if (typeof share !== 'number' || key === undefined) return []
  const place = bucketOf(rollout, key)
  const ofShare = change(
    ppm,
    inside ? place + 1 : place,
    inside ? `> ${valueText(place)}` : `≤ ${valueText(place)}`,
    scope,
  )
  const keys = Array.from({ length: keysMax }, (_, index) => `caller-${index}`)
  const other = keys.find((each) => bucketOf(rollout, each) < share === inside)
  if (other === undefined) return ofShare
  const shown = `of a caller ${inside ? 'inside' : 'outside'} the first ${valueText(share)} ppm of "${rollout}"`
  return [...ofShare, ...change({ fact: 'subject.stickyKey' }, other, shown, scope)]
}

/** A name that no fact has: what a list is walked by, as if it were one. */
const itemFact = '(item)'
/** Members of a list that are taken out one by one before all of them are: no more is tried than there are so. */
const membersMax = 2

/** The condition of a walk with its item as a fact, so that what holds for facts holds for it. */
function overItem(expression: Expression): Expression {
  if (typeof expression !== 'object' || expression === null) return expression
  if (Array.isArray(expression)) return expression.map(overItem)
  if ('item' in expression) return { fact: itemFact }
  const members = Object.entries(expression).map(([name, inner]) => [name, overItem(inner as Expression)])
  return Object.fromEntries(members) as Expression
}

/** One member more that does, or does not, what the walk asks; or one less, and none at last. */
function flipWalk(
  operator: 'some' | 'every',
  [list, condition]: readonly [Expression, Expression],
  { wanted, scope }: { wanted: boolean; scope: FlipScope },
): Change[] {
  const members = operandValue(list, scope)
  if (!Array.isArray(members)) return []
  if ((operator === 'some') === wanted) {
    return flipsOf(overItem(condition), wanted, scope).flatMap(({ fact, to }) =>
      fact !== itemFact || to === undefined
        ? []
        : change(list, [...members, to], `with ${valueText(to)}`, scope),
    )
  }
  const distinct = [...new Set(members)].slice(0, membersMax)
  const without = distinct.map((each) => [members.filter((other) => other !== each), each] as const)
  return [
    ...without.flatMap(([rest, each]) => change(list, rest, `without ${valueText(each)}`, scope)),
    ...(distinct.length > 1 ? change(list, [], 'empty', scope) : []),
  ]
}

/** How a text stands to a part of it, and how it does not. */
const textRelations = {
  startsWith: ['starts with', 'does not start with'],
  endsWith: ['ends with', 'does not end with'],
  contains: ['contains', 'does not contain'],
} as const

/**
 * Changes of one fact or param that make a condition come out as wanted, the smallest first: for a comparison the value
 * beside the bound. Empty where there is none, as for a literal or a fact that is masked.
 */
export function flipsOf(expression: Expression, wanted: boolean, scope: FlipScope): Change[] {
  const [operator, inner] = partsOf(expression) ?? []
  if (operator === undefined) return []
  const operands = inner as readonly [Expression, Expression]
  switch (operator) {
    case 'fact':
    case 'param':
      return change(expression, wanted, `= ${wanted}`, scope)
    case 'not':
      return flipsOf(inner as Expression, !wanted, scope)
    case 'has': {
      const path = String(inner)
      if (!wanted) return change({ fact: path }, undefined, 'absent', scope)
      return sampleOf(path, scope).flatMap((to) => change({ fact: path }, to, 'is there', scope))
    }
    case 'eq':
    case 'ne':
      return flipEquality(operands, wanted === (operator === 'eq'), scope)
    case 'in':
      return flipMembership(operands, wanted, scope)
    case 'startsWith':
    case 'endsWith':
    case 'contains': {
      const part = operandValue(operands[1], scope)
      if (typeof part !== 'string') return []
      const relation = `${textRelations[operator][wanted ? 0 : 1]} ${valueText(part)}`
      return change(operands[0], wanted ? part : '', relation, scope)
    }
    case 'some':
    case 'every':
      return flipWalk(operator, operands, { wanted, scope })
    case 'bucket':
      return flipBucket(inner as { rollout: string; ppm: Expression }, wanted, scope)
    default: {
      const order = orders[operator]
      if (order === undefined) return []
      return flipOrder(wanted ? (operator as Order) : order.negated, operands, scope)
    }
  }
}
