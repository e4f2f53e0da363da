import { type Expression, type Facts, maskedValue } from '@signalbox/sdk/contract'
import { bucketOf } from '../authoring/bucket.ts'
import type { ParamValue } from '../program.ts'
import { factAt } from './fact-values.ts'
import { valueText } from './value-text.ts'

/** What stands behind the names in a condition. */
export interface Values {
  readonly facts: Facts
  /** Params of the workspace. */
  readonly params: Readonly<Record<string, ParamValue>>
  /** Paths whose values nobody knows any more. */
  readonly masked: readonly string[]
}

const signs = {
  eq: '==',
  ne: '!=',
  lt: '<',
  lte: '<=',
  gt: '>',
  gte: '>=',
  startsWith: 'starts with',
  endsWith: 'ends with',
  contains: 'contains',
} as const

/** The operator of an expression and what it works on; undefined for a literal. */
export function partsOf(expression: Expression): readonly [operator: string, inner: unknown] | undefined {
  if (typeof expression !== 'object' || expression === null || Array.isArray(expression)) return undefined
  const operator = Object.keys(expression).find((name) => name !== 'or')
  return operator === undefined ? undefined : [operator, Object(expression)[operator]]
}

/** A fact without the two names that nearly all paths begin with would be ambiguous: it stays whole. */
function factText(expression: Expression, path: string, values: Values): string {
  if (values.masked.includes(path)) return `${path} ${maskedValue}`
  const value = factAt(values.facts, path)
  const { or } = Object(expression) as { or?: unknown }
  const standIn = value === null && or !== undefined ? `, so ${valueText(or)}` : ''
  return `${path} ${valueText(value)}${standIn}`
}

function bucketText(inner: { rollout: string; ppm: Expression }, values: Values): string {
  const key = values.facts.subject.stickyKey
  const place = key === undefined ? 'no sticky key' : valueText(bucketOf(inner.rollout, key))
  return `bucket of "${inner.rollout}" ${place} < ${expressionText(inner.ppm, values)}`
}

/**
 * An expression with the values of a call in place: `request.estimate.outputTokens 5,012 > 4,000`. The value of a fact
 * or a param follows its name.
 */
export function expressionText(expression: Expression, values: Values): string {
  const parts = partsOf(expression)
  if (parts === undefined) {
    if (!Array.isArray(expression)) return expression === null ? 'null' : valueText(expression)
    return `[${expression.map((each) => expressionText(each, values)).join(', ')}]`
  }
  const [operator, inner] = parts
  if (operator === 'fact') return factText(expression, String(inner), values)
  if (operator === 'param') return `${inner} ${valueText(values.params[String(inner)])}`
  if (operator === 'has') return `${factText(expression, String(inner), values)} is there`
  if (operator === 'bucket') return bucketText(inner as { rollout: string; ppm: Expression }, values)
  if (operator === 'not') return `not ${expressionText(inner as Expression, values)}`
  if (operator === 'item') return 'member'
  const operands = (inner as Expression[]).map((each) => expressionText(each, values))
  if (operator === 'all') return `(${operands.join(' and ')})`
  if (operator === 'any') return `(${operands.join(' or ')})`
  if (operator === 'some' || operator === 'every') return `${operator} of ${operands.join(': ')}`
  const sign = operator === 'in' ? 'in' : signs[operator as keyof typeof signs]
  return operands.join(` ${sign} `)
}
