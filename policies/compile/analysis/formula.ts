import type { ParamDeclaration } from '@signalbox/sdk/contract'
import { canonicalJson } from '@signalbox/sdk/node'
import type { Atom, Condition } from '../condition.ts'
import type { FactSchema } from '../fact-types.ts'
import {
  anyBoolean,
  type Constraint,
  type Domain,
  domainOfFact,
  negated,
  type Scalar,
} from './value-domain.ts'

/** A constraint on one variable: a fact, a param, a bucket, or a condition that nothing more is known of. */
export interface Literal {
  readonly variable: string
  readonly domain: Domain
  readonly constraint: Constraint
}
/** A condition with all negations at its leaves. */
export type Formula =
  | boolean
  | Literal
  | { readonly and: readonly Formula[] }
  | { readonly or: readonly Formula[] }

/** What the names in conditions stand for. */
export interface Vocabulary {
  readonly facts: FactSchema
  readonly params: Readonly<Record<string, ParamDeclaration>>
}
/** An operand with at most one variable; `missing` is what stands for a fact that is not there. */
type Operand =
  | { readonly literal: Scalar }
  | { readonly variable: string; readonly domain: Domain; readonly missing: Scalar | undefined }

const bucketsMax = 999_999
const opposite = { lt: 'gt', lte: 'gte', gt: 'lt', gte: 'lte', eq: 'eq', ne: 'ne' } as const
type Comparison = keyof typeof opposite

export function and(parts: readonly Formula[]): Formula {
  const open = parts.filter((part) => part !== true)
  if (open.includes(false)) return false
  return open.length === 1 ? (open[0] ?? true) : open.length === 0 ? true : { and: open }
}

export function or(parts: readonly Formula[]): Formula {
  const open = parts.filter((part) => part !== false)
  if (open.includes(true)) return true
  return open.length === 1 ? (open[0] ?? false) : open.length === 0 ? false : { or: open }
}

/** The formula that holds exactly where this one does not. */
export function not(formula: Formula): Formula {
  if (typeof formula === 'boolean') return !formula
  if ('and' in formula) return or(formula.and.map(not))
  if ('or' in formula) return and(formula.or.map(not))
  return { ...formula, constraint: negated(formula.constraint) }
}

/** A condition that is either way, as far as anyone knows. */
export function unknown(name: string): Formula {
  return {
    variable: `?${name}`,
    domain: anyBoolean,
    constraint: { missing: false, limit: { oneOf: [true] } },
  }
}

export function isOpaque({ variable }: Literal): boolean {
  return variable.startsWith('?')
}

/** Everything a formula speaks of. */
export function literalsOf(formula: Formula): Literal[] {
  if (typeof formula === 'boolean') return []
  if ('and' in formula) return formula.and.flatMap(literalsOf)
  return 'or' in formula ? formula.or.flatMap(literalsOf) : [formula]
}

function paramDomain(declaration: ParamDeclaration | undefined): Domain {
  if (declaration === undefined) return { optional: false }
  if (declaration.type === 'bool') return anyBoolean
  if (declaration.type === 'string') {
    return declaration.enum === undefined
      ? { optional: false, text: { min: 0, max: 256 } }
      : { optional: false, values: declaration.enum }
  }
  if (declaration.type === 'stringList') return { optional: false }
  const [least, most] = declaration.type === 'ppm' ? [0, 1_000_000] : [-Infinity, Infinity]
  const { min = least, max = most } = declaration
  return { optional: false, number: { min, max, integer: true } }
}

function isScalar(value: unknown): value is Scalar {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value)
}

function operandOf(expression: unknown, { facts, params }: Vocabulary): Operand | undefined {
  if (isScalar(expression)) return { literal: expression }
  const { fact, or: missing, param } = Object(expression)
  if (typeof fact === 'string') {
    return { variable: fact, domain: domainOfFact(facts, fact), missing }
  }
  if (typeof param !== 'string') return undefined
  const domain = paramDomain(Object.hasOwn(params, param) ? params[param] : undefined)
  return { variable: `param ${param}`, domain, missing: undefined }
}

function compare(left: unknown, operator: Comparison, right: unknown): boolean {
  if (operator === 'eq') return left === right
  if (operator === 'ne') return left !== right
  if (typeof left !== 'number' || typeof right !== 'number') return false
  if (operator === 'lt') return left < right
  if (operator === 'lte') return left <= right
  return operator === 'gt' ? left > right : left >= right
}

function limitOf(operator: Comparison, value: Scalar): Constraint['limit'] | undefined {
  if (operator === 'eq') return { oneOf: [value] }
  if (operator === 'ne') return { noneOf: [value] }
  if (typeof value !== 'number') return undefined
  if (operator === 'lt') return { below: value }
  if (operator === 'lte') return { atMost: value }
  return operator === 'gt' ? { above: value } : { atLeast: value }
}

/** How two facts that are always there stand to each other, as a variable of its own: -1, 0 or 1. */
function pairOf(operator: Comparison, left: Operand, right: Operand): Formula | undefined {
  if ('literal' in left || 'literal' in right) return undefined
  const isThere = (operand: typeof left) => !operand.domain.optional || operand.missing !== undefined
  if (!isThere(left) || !isThere(right)) return undefined
  const name = ({ variable, missing }: typeof left) => canonicalJson([variable, missing ?? null])
  const [first, second] = [name(left), name(right)]
  const isSwapped = first > second
  const way = isSwapped ? opposite[operator] : operator
  const signs = [-1, 0, 1].filter((sign) => compare(sign, way, 0))
  const values = first === second ? [0] : [-1, 0, 1]
  const variable = isSwapped ? `${second} to ${first}` : `${first} to ${second}`
  return {
    variable,
    domain: { optional: false, values },
    constraint: { missing: false, limit: { oneOf: signs } },
  }
}

function comparisonOf(operator: Comparison, operands: unknown, words: Vocabulary): Formula | undefined {
  const [left, right] = (Array.isArray(operands) ? operands : []).map((each) => operandOf(each, words))
  if (left === undefined || right === undefined) return undefined
  if ('literal' in left) {
    if ('literal' in right) return compare(left.literal, operator, right.literal)
    return comparisonOf(opposite[operator], [Object(operands)[1], Object(operands)[0]], words)
  }
  if (!('literal' in right)) return pairOf(operator, left, right)
  const limit = limitOf(operator, right.literal)
  if (limit === undefined) return undefined
  const missing = compare(left.missing, operator, right.literal)
  return { variable: left.variable, domain: left.domain, constraint: { missing, limit } }
}

function membershipOf(operands: unknown, words: Vocabulary): Formula | undefined {
  const [first, list] = Array.isArray(operands) ? operands : []
  const operand = operandOf(first, words)
  if (operand === undefined || !Array.isArray(list) || !list.every(isScalar)) return undefined
  if ('literal' in operand) return list.includes(operand.literal)
  const missing = list.some((value) => value === operand.missing)
  return {
    variable: operand.variable,
    domain: operand.domain,
    constraint: { missing, limit: { oneOf: list } },
  }
}

function prefixOf(operands: unknown, words: Vocabulary): Formula | undefined {
  const [first, prefix] = Array.isArray(operands) ? operands : []
  const operand = operandOf(first, words)
  if (operand === undefined || typeof prefix !== 'string') return undefined
  if ('literal' in operand) return String(operand.literal).startsWith(prefix)
  const missing = typeof operand.missing === 'string' && operand.missing.startsWith(prefix)
  return { variable: operand.variable, domain: operand.domain, constraint: { missing, limit: { prefix } } }
}

/** A caller's place in a rollout is a number below 1,000,000, the same in every rule that names the rollout. */
function bucketOf(bucket: unknown): Formula | undefined {
  const { rollout, ppm } = Object(bucket)
  if (typeof ppm !== 'number') return undefined
  const domain = { optional: true, number: { min: 0, max: bucketsMax, integer: true } }
  return { variable: `rollout ${rollout}`, domain, constraint: { missing: false, limit: { below: ppm } } }
}

function booleanOf(expression: unknown, words: Vocabulary): Formula | undefined {
  const operand = operandOf(expression, words)
  if (operand === undefined) return undefined
  if ('literal' in operand) return operand.literal === true
  const missing = operand.missing === true
  return {
    variable: operand.variable,
    domain: operand.domain,
    constraint: { missing, limit: { oneOf: [true] } },
  }
}

function presenceOf(path: unknown, { facts }: Vocabulary): Formula | undefined {
  if (typeof path !== 'string') return undefined
  const domain = domainOfFact(facts, path)
  return { variable: path, domain, constraint: { missing: false, limit: { noneOf: [] } } }
}

/** An atom as a constraint on one variable; `key` names what cannot be one. */
export function formulaOfAtom({ expression }: Atom, words: Vocabulary, key: string): Formula {
  if (expression === null) return unknown(key)
  const simple = booleanOf(expression, words)
  if (simple !== undefined) return simple
  const [operator = '', inner] = Object.entries(Object(expression))[0] ?? []
  const found = Object.hasOwn(opposite, operator)
    ? comparisonOf(operator as Comparison, inner, words)
    : operator === 'in'
      ? membershipOf(inner, words)
      : operator === 'startsWith'
        ? prefixOf(inner, words)
        : operator === 'has'
          ? presenceOf(inner, words)
          : operator === 'bucket'
            ? bucketOf(inner)
            : undefined
  // The same expression comes to the same wherever it stands.
  return found ?? unknown(canonicalJson(expression))
}

/** A condition as a formula. `key` names its place: what is code there is another unknown than code elsewhere. */
export function formulaOf(condition: Condition, words: Vocabulary, key: string): Formula {
  let atoms = 0
  const visit = (part: Condition): Formula => {
    if ('all' in part) return and(part.all.map(visit))
    if ('any' in part) return or(part.any.map(visit))
    return 'not' in part ? not(visit(part.not)) : formulaOfAtom(part, words, `${key} ${atoms++}`)
  }
  return visit(condition)
}
