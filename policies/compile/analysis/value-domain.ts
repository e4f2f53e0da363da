import { type FactSchema, memberOf } from '../fact-types.ts'

export type Scalar = string | number | boolean | null

/** What a condition says of a value that is there. */
export type Limit =
  | { readonly oneOf: readonly unknown[] }
  | { readonly noneOf: readonly unknown[] }
  | { readonly above: number }
  | { readonly atLeast: number }
  | { readonly below: number }
  | { readonly atMost: number }
  | { readonly prefix: string }
  | { readonly noPrefix: string }
/** What a condition says of a fact: of its value, and whether it holds where the fact is missing. */
export interface Constraint {
  readonly missing: boolean
  readonly limit: Limit
}
/** All that a fact, a param or a bucket can be. */
export interface Domain {
  readonly optional: boolean
  /** All values, where they are few. */
  readonly values?: readonly unknown[]
  /** Bounds of a number. */
  readonly number?: { readonly min: number; readonly max: number; readonly integer: boolean }
  /** Lengths of a text. */
  readonly text?: { readonly min: number; readonly max: number }
}
/** A value that fits, `undefined` for a fact that is missing. */
export interface Example {
  readonly value: unknown
  /** Whether the value is known; a fact may have some that no analysis can name. */
  readonly known: boolean
}

const firstLetter = 'a'.charCodeAt(0)
export const anyBoolean: Domain = { optional: false, values: [true, false] }

export function negated({ missing, limit }: Constraint): Constraint {
  return { missing: !missing, limit: negatedLimit(limit) }
}

function negatedLimit(limit: Limit): Limit {
  if ('oneOf' in limit) return { noneOf: limit.oneOf }
  if ('noneOf' in limit) return { oneOf: limit.noneOf }
  if ('above' in limit) return { atMost: limit.above }
  if ('atLeast' in limit) return { below: limit.atLeast }
  if ('below' in limit) return { atLeast: limit.below }
  if ('atMost' in limit) return { above: limit.atMost }
  return 'prefix' in limit ? { noPrefix: limit.prefix } : { prefix: limit.noPrefix }
}

/** Whether a value is within a limit. */
export function fitsLimit(value: unknown, limit: Limit): boolean {
  if ('oneOf' in limit) return limit.oneOf.includes(value)
  if ('noneOf' in limit) return !limit.noneOf.includes(value)
  if ('prefix' in limit) return typeof value === 'string' && value.startsWith(limit.prefix)
  if ('noPrefix' in limit) return typeof value !== 'string' || !value.startsWith(limit.noPrefix)
  if (typeof value !== 'number') return false
  if ('above' in limit) return value > limit.above
  if ('atLeast' in limit) return value >= limit.atLeast
  return 'below' in limit ? value < limit.below : value <= limit.atMost
}

/** A number within bounds that none of the limits excludes. */
function numberWithin(limits: readonly Limit[], bounds: NonNullable<Domain['number']>): number | undefined {
  const { integer } = bounds
  let { min, max } = bounds
  let openMin = false
  let openMax = false
  for (const limit of limits) {
    const low = 'above' in limit ? limit.above : 'atLeast' in limit ? limit.atLeast : undefined
    const high = 'below' in limit ? limit.below : 'atMost' in limit ? limit.atMost : undefined
    if (low !== undefined && (low > min || (low === min && 'above' in limit))) {
      min = low
      openMin = 'above' in limit
    }
    if (high !== undefined && (high < max || (high === max && 'below' in limit))) {
      max = high
      openMax = 'below' in limit
    }
  }
  if (integer) {
    min = openMin ? Math.floor(min) + 1 : Math.ceil(min)
    max = openMax ? Math.ceil(max) - 1 : Math.floor(max)
    openMin = false
    openMax = false
  }
  if (min > max || (min === max && (openMin || openMax))) return undefined
  const isGood = (value: number): boolean =>
    (openMin ? value > min : value >= min) &&
    (openMax ? value < max : value <= max) &&
    limits.every((limit) => fitsLimit(value, limit))
  for (const value of numbersToTry(min, max, excludedBy(limits))) if (isGood(value)) return value
  return undefined
}

/** How many single values, or beginnings of texts, limits can take away. */
function excludedBy(limits: readonly Limit[]): number {
  return limits.reduce((sum, limit) => sum + ('noneOf' in limit ? limit.noneOf.length : 1), 0)
}

/** Numbers of an interval, more of them than are excluded, the plainest first. */
function* numbersToTry(min: number, max: number, excluded: number): Generator<number> {
  const start = min === -Infinity ? (max === Infinity ? 0 : max) : min
  const step = min === -Infinity && max !== Infinity ? -1 : 1
  const count = excluded + 2
  for (let index = 0; index < count; index++) yield start + step * index
  if (min === -Infinity || max === Infinity) return
  for (let index = 1; index <= count; index++) yield min + ((max - min) * index) / (count + 1)
  yield max
}

/** A text that none of the limits excludes. */
function textWithin(limits: readonly Limit[], lengths: NonNullable<Domain['text']>): string | undefined {
  const prefixes = limits.flatMap((limit) => ('prefix' in limit ? [limit.prefix] : []))
  const longest = prefixes.reduce((one, other) => (other.length > one.length ? other : one), '')
  if (longest.length > lengths.max || !prefixes.every((prefix) => longest.startsWith(prefix)))
    return undefined
  const count = excludedBy(limits) + 1
  for (let index = -1; index < count; index++) {
    // Each tail begins with another character, so that one limit takes away one of them only.
    const tail = index < 0 ? '' : String.fromCharCode(firstLetter + index)
    const text = (longest + tail).padEnd(lengths.min, 'x')
    if (text.length <= lengths.max && limits.every((limit) => fitsLimit(text, limit))) return text
  }
  return undefined
}

/** A value of the domain that meets all constraints; undefined where there is none. */
export function exampleOf(domain: Domain, constraints: readonly Constraint[]): Example | undefined {
  const limits = constraints.map(({ limit }) => limit)
  const present = presentExample(domain, limits)
  if (present !== undefined) return present
  const missing = domain.optional && constraints.every((constraint) => constraint.missing)
  return missing ? { value: undefined, known: true } : undefined
}

function presentExample(domain: Domain, limits: readonly Limit[]): Example | undefined {
  const fits = (value: unknown) => limits.every((limit) => fitsLimit(value, limit))
  const few = domain.values ?? limits.flatMap((limit) => ('oneOf' in limit ? [limit.oneOf] : []))[0]
  if (few !== undefined) {
    const isPossible = (value: unknown): boolean => fits(value) && isOfDomain(value, domain)
    const index = few.findIndex(isPossible)
    return index === -1 ? undefined : { value: few[index], known: true }
  }
  if (domain.number !== undefined) {
    const value = numberWithin(limits, domain.number)
    return value === undefined ? undefined : { value, known: true }
  }
  if (domain.text !== undefined) {
    const value = textWithin(limits, domain.text)
    return value === undefined ? undefined : { value, known: true }
  }
  return { value: undefined, known: false }
}

function isOfDomain(value: unknown, { values, number, text }: Domain): boolean {
  if (values !== undefined) return values.includes(value)
  if (number !== undefined) {
    return typeof value === 'number' && value >= number.min && value <= number.max
  }
  return text === undefined || (typeof value === 'string' && value.length <= text.max)
}

function boundsOf(schema: object, integer: boolean): Domain['number'] {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = Object(schema)
  const numbers = (...values: unknown[]) => values.filter((value) => typeof value === 'number')
  const min = Math.max(-Infinity, ...numbers(minimum, exclusiveMinimum))
  const max = Math.min(Infinity, ...numbers(maximum, exclusiveMaximum))
  return { min, max, integer }
}

/** The values that a schema of a scalar allows; no bounds where it says nothing that can be used. */
export function domainOfSchema(schema: FactSchema, optional: boolean): Domain {
  if (schema.const !== undefined) return { optional, values: [schema.const] }
  if (schema.enum !== undefined) return { optional, values: schema.enum }
  if (schema.anyOf !== undefined) {
    const parts = schema.anyOf.map((each) => domainOfSchema(each, optional).values)
    const known = parts.filter((values) => values !== undefined)
    return known.length < parts.length ? { optional } : { optional, values: known.flat() }
  }
  if (schema.type === 'boolean') return { optional, values: [true, false] }
  if (schema.type === 'integer' || schema.type === 'number') {
    const number = boundsOf(schema, schema.type === 'integer')
    return number === undefined ? { optional } : { optional, number }
  }
  if (schema.type !== 'string') return { optional }
  const { minLength = 0, maxLength = Infinity } = schema as { minLength?: number; maxLength?: number }
  return { optional, text: { min: minLength, max: maxLength } }
}

/** The values of the fact at a path. */
export function domainOfFact(root: FactSchema, path: string): Domain {
  let schema = root
  let optional = false
  for (const name of path.split('.')) {
    const member = memberOf(schema, name)
    if (member === undefined) return { optional: true }
    optional ||= member.optional
    schema = member.schema
  }
  return domainOfSchema(schema, optional)
}
