import type { Expression } from '@signalbox/sdk/contract'
import type { Atom, Condition } from './condition.ts'
import {
  booleanType,
  canBeEqual,
  type ExpressionScope,
  factCode,
  isOfKind,
  type Operand,
  operatorOf,
  simpleOperand,
} from './expression-checker.ts'
import { isKnownFact, kindOfValue, lookUpFact, type ValueType } from './fact-types.ts'
import type { DocumentPath, SourceDocument } from './source-document.ts'

/** A condition in JavaScript that notes its atoms in the trace, and what its result says about optional facts. */
interface Compiled {
  readonly condition: Condition
  readonly code: string
  readonly presentIfTrue: ReadonlySet<string>
  readonly presentIfFalse: ReadonlySet<string>
}
interface At {
  readonly path: DocumentPath
  readonly present: ReadonlySet<string>
  /** Type of the member at hand, inside `some` and `every`. */
  readonly item?: ValueType
}
const textTests: Readonly<Record<string, string>> = {
  startsWith: 'startsWith',
  endsWith: 'endsWith',
  contains: 'includes',
}
const nothing: ReadonlySet<string> = new Set()
const compare = { eq: '===', ne: '!==', lt: '<', lte: '<=', gt: '>', gte: '>=' } as const

function union(...sets: readonly ReadonlySet<string>[]): ReadonlySet<string> {
  return new Set(sets.flatMap((set) => [...set]))
}

function intersection(sets: readonly ReadonlySet<string>[]): ReadonlySet<string> {
  const [first = nothing, ...others] = sets
  return new Set([...first].filter((each) => others.every((set) => set.has(each))))
}

/** Compiles the conditions of one rule; trace positions count from 0. */
export class ConditionCompiler {
  readonly #scope: ExpressionScope
  readonly #document: Pick<SourceDocument, 'textOf' | 'locate'>
  #atoms = 0

  constructor(scope: ExpressionScope, document: Pick<SourceDocument, 'textOf' | 'locate'>) {
    this.#scope = scope
    this.#document = document
  }

  /** Null where something is wrong; all of it was reported. */
  compile(expression: unknown, path: DocumentPath): { condition: Condition; code: string } | null {
    return this.#condition(expression, { path, present: nothing })
  }

  #fail(path: DocumentPath, message: string, part: 'key' | 'value' = 'value'): null {
    this.#scope.report(path, { code: 'expression', message }, part)
    return null
  }

  #condition(expression: unknown, at: At): Compiled | null {
    if (typeof expression === 'object' && expression !== null && !Array.isArray(expression)) {
      const operator = operatorOf(expression, at.path, this.#scope)
      if (operator === undefined) return null
      const inner: unknown = Object(expression)[operator]
      const path = [...at.path, operator]
      if (operator === 'all' || operator === 'any') return this.#junction(operator, inner, { ...at, path })
      if (operator === 'not') return this.#negation(inner, { ...at, path })
    }
    return this.#atom(expression, at)
  }

  /** `all` and `any`: a test for presence holds for what stands after it. */
  #junction(operator: 'all' | 'any', inner: unknown, at: At): Compiled | null {
    if (!Array.isArray(inner) || inner.length === 0) {
      return this.#fail(at.path, `"${operator}" needs a list of at least one condition`)
    }
    let present = at.present
    const parts: (Compiled | null)[] = []
    for (const [index, each] of inner.entries()) {
      const part = this.#condition(each, { path: [...at.path, index], present })
      if (part !== null) {
        present = union(present, operator === 'all' ? part.presentIfTrue : part.presentIfFalse)
      }
      parts.push(part)
    }
    const good = parts.filter((part) => part !== null)
    if (good.length < parts.length) return null
    const conditions = good.map((part) => part.condition)
    const whenTrue = good.map((part) => part.presentIfTrue)
    const whenFalse = good.map((part) => part.presentIfFalse)
    return {
      condition: operator === 'all' ? { all: conditions } : { any: conditions },
      code: `(${good.map((part) => part.code).join(operator === 'all' ? '&&' : '||')})`,
      presentIfTrue: operator === 'all' ? union(...whenTrue) : intersection(whenTrue),
      presentIfFalse: operator === 'all' ? intersection(whenFalse) : union(...whenFalse),
    }
  }

  #negation(inner: unknown, at: At): Compiled | null {
    const part = this.#condition(inner, at)
    return (
      part && {
        condition: { not: part.condition },
        code: `!${part.code}`,
        presentIfTrue: part.presentIfFalse,
        presentIfFalse: part.presentIfTrue,
      }
    )
  }

  #atom(expression: unknown, at: At): Compiled | null {
    const position = this.#atoms++
    const operand = this.#operand(expression, at)
    if (operand === null) return null
    if (operand.type.kinds.size !== 1 || !operand.type.kinds.has('boolean')) {
      const kinds = [...operand.type.kinds].join(' or ')
      return this.#fail(at.path, `a condition must be true or false, ${operand.name} is ${kinds}`)
    }
    const atom: Atom = {
      // Checked just now: it is one of the forms of an Expression.
      expression: expression as Expression,
      text: this.#document.textOf(at.path),
      reads: operand.reads,
      position: this.#document.locate(at.path),
    }
    const path = Object(expression).has
    return {
      condition: atom,
      code: `(__trace[${position}]=__pending,__trace[${position}]=${operand.code})`,
      presentIfTrue: typeof path === 'string' ? this.#shownBy(path) : nothing,
      presentIfFalse: nothing,
    }
  }

  /** What is there where `has` of a path is true: the path and all that leads to it. */
  #shownBy(path: string): ReadonlySet<string> {
    const fact = lookUpFact(this.#scope.facts, path)
    return new Set(isKnownFact(fact) ? fact.optional : [])
  }

  /** Any expression as an operand; boolean operators inside one have no trace positions of their own. */
  #operand(expression: unknown, at: At): Operand | null {
    const simple = simpleOperand(expression, at, this.#scope)
    if (simple !== undefined) return simple
    const [operator = '', inner] = Object.entries(Object(expression))[0] ?? []
    const path = [...at.path, operator]
    if (operator === 'has') return this.#has(inner, path)
    if (operator === 'bucket') return this.#bucket(inner, { ...at, path })
    if (operator === 'item') return this.#item(inner, { ...at, path })
    if (operator === 'all' || operator === 'any' || operator === 'not') {
      return this.#fail(path, `"${operator}" cannot stand inside a comparison`, 'key')
    }
    if (!Array.isArray(inner) || inner.length !== 2)
      return this.#fail(path, `"${operator}" needs two operands`)
    if (operator === 'some' || operator === 'every') return this.#walk(operator, inner, { ...at, path })
    const left = this.#operand(inner[0], { ...at, path: [...path, 0] })
    if (operator === 'in') return this.#membership(left, inner[1], { ...at, path })
    const right = this.#operand(inner[1], { ...at, path: [...path, 1] })
    return left && right && this.#comparison(operator, { left, right }, path)
  }

  #comparison(
    operator: string,
    operands: { left: Operand; right: Operand },
    path: DocumentPath,
  ): Operand | null {
    const { left, right } = operands
    const reads = [...left.reads, ...right.reads]
    const result = (code: string) => ({ code: `(${code})`, type: booleanType, reads, name: `"${operator}"` })
    if (operator === 'eq' || operator === 'ne') {
      const fits = canBeEqual(operands, path, this.#scope)
      return fits ? result(`${left.code}${compare[operator]}${right.code}`) : null
    }
    const textTest = textTests[operator]
    const kind = textTest === undefined ? 'number' : 'string'
    const sides = [left, right].map((side, index) =>
      isOfKind(side, { kind, operator, path: [...path, index] }, this.#scope),
    )
    if (sides.includes(false)) return null
    if (textTest !== undefined) return result(`${left.code}.${textTest}(${right.code})`)
    return result(`${left.code}${compare[operator as keyof typeof compare]}${right.code}`)
  }

  #membership(left: Operand | null, list: unknown, at: At): Operand | null {
    const path = [...at.path, 1]
    if (Array.isArray(list)) {
      const operands = list.map((item, index) => this.#operand(item, { ...at, path: [...path, index] }))
      const good = operands.filter((operand) => operand !== null)
      if (left === null || good.length < list.length) return null
      const fits = good.map((right, index) => canBeEqual({ left, right }, [...path, index], this.#scope))
      if (fits.includes(false)) return null
      const code = `[${good.map((operand) => operand.code).join()}].includes(${left.code})`
      const reads = [...left.reads, ...good.flatMap((operand) => operand.reads)]
      return { code, type: booleanType, reads, name: '"in"' }
    }
    const right = this.#operand(list, { ...at, path })
    if (left === null || right === null) return null
    const items = right.type.items
    if (items === undefined) return this.#fail(path, `"in" needs a list, ${right.name} is none`)
    const member = { ...right, type: items, name: `a member of ${right.name}` }
    if (!canBeEqual({ left, right: member }, at.path, this.#scope)) return null
    const reads = [...left.reads, ...right.reads]
    return { code: `${right.code}.includes(${left.code})`, type: booleanType, reads, name: '"in"' }
  }

  #item(inner: unknown, at: At): Operand | null {
    if (at.item === undefined)
      return this.#fail(at.path, '"item" stands only inside "some" and "every"', 'key')
    if (inner !== true) return this.#fail(at.path, '"item" is written { "item": true }')
    return { code: '__item', type: at.item, reads: [], name: 'the member at hand' }
  }

  /** `some` and `every`: a condition over each member of a list. */
  #walk(operator: 'some' | 'every', inner: readonly unknown[], at: At): Operand | null {
    const { path } = at
    if (at.item !== undefined)
      return this.#fail(path, `"${operator}" cannot stand inside another walk`, 'key')
    const written: readonly unknown[] | undefined = Array.isArray(inner[0]) ? inner[0] : undefined
    const list = written === undefined ? this.#operand(inner[0], { ...at, path: [...path, 0] }) : undefined
    if (list === null) return null
    const kinds = new Set((written ?? []).map(kindOfValue))
    const item = list === undefined ? { kinds, values: written ?? [] } : list.type.items
    if (item === undefined || [...item.kinds].some((kind) => kind === 'list' || kind === 'object')) {
      return this.#fail([...path, 0], `"${operator}" needs a list of texts or numbers`)
    }
    const condition = this.#inner(inner[1], { ...at, path: [...path, 1], item })
    if (condition === null) return null
    const code = `${list?.code ?? JSON.stringify(written)}.${operator}((__item)=>${condition.code})`
    const reads = [...(list?.reads ?? []), ...condition.reads]
    return { code, type: booleanType, reads, name: `"${operator}"` }
  }

  /** A condition inside an operand: it has no trace positions of its own. */
  #inner(expression: unknown, at: At): Operand | null {
    const [operator = '', inner] = Object.entries(Object(expression))[0] ?? []
    const path = [...at.path, operator]
    if (operator === 'not') {
      const part = this.#inner(inner, { ...at, path })
      return part && { ...part, code: `!${part.code}` }
    }
    if (operator !== 'all' && operator !== 'any') {
      const part = this.#operand(expression, at)
      return part && isOfKind(part, { kind: 'boolean', operator: 'some', path: at.path }, this.#scope)
        ? part
        : null
    }
    if (!Array.isArray(inner) || inner.length === 0) {
      return this.#fail(path, `"${operator}" needs a list of at least one condition`)
    }
    const parts = inner.map((each, index) => this.#inner(each, { ...at, path: [...path, index] }))
    const good = parts.filter((part) => part !== null)
    if (good.length < parts.length) return null
    const code = `(${good.map((part) => part.code).join(operator === 'all' ? '&&' : '||')})`
    return { code, type: booleanType, reads: good.flatMap((part) => part.reads), name: `"${operator}"` }
  }

  #has(path: unknown, at: DocumentPath): Operand | null {
    if (typeof path !== 'string') return this.#fail(at, '"has" needs the path of a fact, as a string')
    const fact = lookUpFact(this.#scope.facts, path)
    if (!isKnownFact(fact)) {
      this.#scope.report(at, { code: 'unknown_fact', message: fact.unknown })
      return null
    }
    if (fact.optional.length === 0) {
      const message = `"${path}" is never missing: this is always true`
      this.#scope.report(at, { code: 'always_true', severity: 'warning', message })
    }
    const code = `(${factCode(path, fact.optional)}!==undefined)`
    return { code, type: booleanType, reads: [path], name: `has "${path}"` }
  }

  #bucket(inner: unknown, at: At): Operand | null {
    const { rollout, ppm, ...others } = Object(inner)
    const [unknown] = Object.keys(others)
    if (unknown !== undefined) return this.#fail([...at.path, unknown], `unknown member "${unknown}"`, 'key')
    if (typeof rollout !== 'string' || rollout === '' || ppm === undefined) {
      return this.#fail(at.path, '"bucket" needs the members "rollout" (a name) and "ppm"')
    }
    const path = [...at.path, 'ppm']
    const share = this.#operand(ppm, { ...at, path })
    if (share === null) return null
    if (!isOfKind(share, { kind: 'number', operator: 'bucket', path }, this.#scope)) return null
    const code = `__inBucket(f,{rollout:${JSON.stringify(rollout)},ppm:${share.code}})`
    return { code, type: booleanType, reads: ['subject.stickyKey', ...share.reads], name: '"bucket"' }
  }
}
