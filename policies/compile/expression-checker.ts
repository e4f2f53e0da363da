import type { ParamDeclaration } from '@signalbox/sdk/contract'
import {
  type FactSchema,
  isKnownFact,
  kindOfValue,
  lookUpFact,
  type ValueKind,
  type ValueType,
} from './fact-types.ts'
import { didYouMean } from './near-name.ts'
import type { Finding } from './problem-list.ts'
import type { DocumentPath } from './source-document.ts'

/** What an expression may refer to, and where to say what is wrong with it. */
export interface ExpressionScope {
  readonly facts: FactSchema
  readonly params: Readonly<Record<string, ParamDeclaration>>
  /** Whether `bucket` exists: it needs a caller. */
  readonly hasCaller: boolean
  report(path: DocumentPath, finding: Finding, part?: 'key' | 'value'): void
}
/** An operand: JavaScript over `f`, its type, and the facts it reads. Null where it is wrong and was reported. */
export interface Operand {
  readonly code: string
  readonly type: ValueType
  readonly reads: readonly string[]
  /** How a message names it. */
  readonly name: string
}

export const operators = [
  ...['fact', 'param', 'all', 'any', 'not', 'eq', 'ne', 'lt', 'lte', 'gt', 'gte'],
  ...['in', 'has', 'startsWith', 'endsWith', 'contains', 'some', 'every', 'item', 'bucket'],
] as const
export type Operator = (typeof operators)[number]
const paramKinds: Readonly<Record<ParamDeclaration['type'], ValueKind>> = {
  int: 'number',
  ppm: 'number',
  bool: 'boolean',
  string: 'string',
  stringList: 'list',
}
export const booleanType: ValueType = { kinds: new Set(['boolean']) }

export function describeType(type: ValueType): string {
  return [...type.kinds].join(' or ')
}

/** The operator of an expression in object form; reports what is none. */
export function operatorOf(
  expression: object,
  path: DocumentPath,
  scope: ExpressionScope,
): Operator | undefined {
  const names = Object.keys(expression).filter((name) => name !== 'or' || !('fact' in expression))
  const [name, second] = names
  if (name === undefined) {
    scope.report(path, { code: 'expression', message: 'an expression needs an operator, it is empty' })
    return undefined
  }
  if (second !== undefined) {
    const message = `an expression has one operator, here are "${name}" and "${second}"; combine them with "all"`
    scope.report([...path, second], { code: 'expression', message }, 'key')
    return undefined
  }
  const known: readonly string[] = scope.hasCaller ? operators : operators.filter((each) => each !== 'bucket')
  if (known.includes(name)) return name as Operator
  const message = `unknown operator "${name}"${didYouMean(name, known)}`
  scope.report([...path, name], { code: 'unknown_operator', message }, 'key')
  return undefined
}

/** `f.budget.tightest?.usedPpm`: a path as JavaScript; parts that may be missing are passed over. */
export function factCode(path: string, optional: readonly string[]): string {
  let code = 'f'
  let prefix = ''
  for (const part of path.split('.')) {
    const link = optional.includes(prefix) ? '?.' : ''
    const isName = /^[A-Za-z_$][\w$]*$/.test(part)
    code += isName ? `${link === '' ? '.' : link}${part}` : `${link}[${JSON.stringify(part)}]`
    prefix = prefix === '' ? part : `${prefix}.${part}`
  }
  return code
}

function literal(value: string | number | boolean | null): Operand {
  const type = { kinds: new Set([kindOfValue(value)]), values: [value] }
  return { code: JSON.stringify(value), type, reads: [], name: JSON.stringify(value) }
}

function factOperand(
  expression: { fact?: unknown; or?: unknown },
  at: { path: DocumentPath; present: ReadonlySet<string> },
  scope: ExpressionScope,
): Operand | null {
  const { fact: path, or } = expression
  const where = [...at.path, 'fact']
  if (typeof path !== 'string') {
    scope.report(where, { code: 'expression', message: '"fact" must be the path of a fact, as a string' })
    return null
  }
  const fact = lookUpFact(scope.facts, path)
  if (!isKnownFact(fact)) {
    scope.report(where, { code: 'unknown_fact', message: fact.unknown })
    return null
  }
  const code = factCode(path, fact.optional)
  if (or === undefined) {
    const missing = fact.optional.filter((part) => !at.present.has(part))
    if (missing.length > 0) {
      const message = `"${path}" may be missing: give a default with "or", or test it with "has" first`
      scope.report(where, { code: 'optional_fact', message })
      return null
    }
    return { code, type: fact, reads: [path], name: `"${path}"` }
  }
  const kind = kindOfValue(or)
  if (kind === 'object' || kind === 'list' || (kind !== 'null' && !fact.kinds.has(kind))) {
    const message = `type mismatch: "${path}" is ${describeType(fact)}, its default ${JSON.stringify(or)} is ${kind}`
    scope.report([...at.path, 'or'], { code: 'type_mismatch', message })
    return null
  }
  const kinds = new Set([...fact.kinds, kind])
  const type = fact.values === undefined ? { kinds } : { kinds, values: [...new Set([...fact.values, or])] }
  return { code: `(${code}??${JSON.stringify(or)})`, type, reads: [path], name: `"${path}"` }
}

function typeOfParam(declaration: ParamDeclaration): ValueType {
  const kinds = new Set([paramKinds[declaration.type]])
  const values = 'enum' in declaration ? declaration.enum : undefined
  const texts: ValueType = { kinds: new Set(['string']), ...(values !== undefined && { values }) }
  if (declaration.type === 'stringList') return { kinds, items: texts }
  return declaration.type === 'string' ? texts : { kinds }
}

function paramOperand(name: unknown, path: DocumentPath, scope: ExpressionScope): Operand | null {
  const declaration =
    typeof name === 'string' && Object.hasOwn(scope.params, name) ? scope.params[name] : undefined
  if (declaration === undefined) {
    const hint = didYouMean(String(name), Object.keys(scope.params))
    scope.report([...path, 'param'], { code: 'unknown_param', message: `unknown param "${name}"${hint}` })
    return null
  }
  return {
    code: `__param(${JSON.stringify(name)})`,
    type: typeOfParam(declaration),
    reads: [],
    name: `param "${name}"`,
  }
}

/**
 * An operand that is a literal, a fact or a param; undefined for every other operator. Null where it is wrong.
 * `present`: optional facts that a test has shown to be there.
 */
export function simpleOperand(
  expression: unknown,
  at: { path: DocumentPath; present: ReadonlySet<string> },
  scope: ExpressionScope,
): Operand | null | undefined {
  if (typeof expression === 'object' && expression !== null && !Array.isArray(expression)) {
    const operator = operatorOf(expression, at.path, scope)
    if (operator === undefined) return null
    if (operator === 'fact') return factOperand(expression, at, scope)
    if (operator === 'param') return paramOperand(Object(expression).param, at.path, scope)
    return undefined
  }
  if (Array.isArray(expression)) {
    scope.report(at.path, {
      code: 'expression',
      message: 'a list can stand only as the second operand of "in"',
    })
    return null
  }
  return literal(expression as string | number | boolean | null)
}

/** Reports operands that can never be equal. Returns whether they can. */
export function canBeEqual(
  operands: { left: Operand; right: Operand },
  path: DocumentPath,
  scope: ExpressionScope,
): boolean {
  const { left, right } = operands
  const comparable = [...left.type.kinds].filter((kind) => kind !== 'list' && kind !== 'object')
  if (!comparable.some((kind) => right.type.kinds.has(kind))) {
    const message = `type mismatch: ${left.name} is ${describeType(left.type)}, ${right.name} is ${describeType(right.type)}`
    scope.report(path, { code: 'type_mismatch', message })
    return false
  }
  const few = [left, right].find((each) => (each.type.values?.length ?? 0) > 1)
  const one = [left, right].find((each) => each.type.values?.length === 1)
  const value = one?.type.values?.[0]
  if (few === undefined || one === undefined || few.type.values?.includes(value)) return true
  const values = (few.type.values ?? []).map(String)
  const hint = didYouMean(String(value), values)
  const message = `${one.name} is no value of ${few.name}: it is one of ${values.join(', ')}${hint}`
  scope.report(path, { code: 'type_mismatch', message })
  return false
}

/** Reports an operand that is not of the one kind that an operator works on. */
export function isOfKind(
  operand: Operand,
  wanted: { kind: ValueKind; operator: string; path: DocumentPath },
  scope: ExpressionScope,
): boolean {
  if (operand.type.kinds.size === 1 && operand.type.kinds.has(wanted.kind)) return true
  const message = `type mismatch: "${wanted.operator}" needs a ${wanted.kind}, ${operand.name} is ${describeType(operand.type)}`
  scope.report(wanted.path, { code: 'type_mismatch', message })
  return false
}
