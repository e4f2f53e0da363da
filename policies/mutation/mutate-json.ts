import { parseJsonDocument } from '../compile/json-document.ts'
import type { DocumentPath, SourceDocument } from '../compile/source-document.ts'
import { type Edit, otherNumber } from './edits.ts'

type OtherModel = (name: string) => string | undefined

const signs: Readonly<Record<string, string>> = { lt: '<', lte: '<=', gt: '>', gte: '>=' }
const shifted: Readonly<Record<string, string>> = { lt: 'lte', lte: 'lt', gt: 'gte', gte: 'gt' }
const opposite: Readonly<Record<string, string>> = {
  lt: 'gte',
  lte: 'gt',
  gt: 'lte',
  gte: 'lt',
  eq: 'ne',
  ne: 'eq',
  all: 'any',
  any: 'all',
}
const shownMax = 60

function show(value: unknown): string {
  const text = JSON.stringify(value)
  return text.length > shownMax ? `${text.slice(0, shownMax)}…` : text
}

/** Makes the wrong versions of one JSON policy or guardrail. */
class JsonMutator {
  readonly #document: SourceDocument
  readonly #otherModel: OtherModel
  readonly edits: Edit[] = []

  constructor(document: SourceDocument, otherModel: OtherModel) {
    this.#document = document
    this.#otherModel = otherModel
  }

  #replace(
    path: DocumentPath,
    from: unknown,
    to: unknown,
    description = `${show(from)} → ${show(to)}`,
  ): void {
    this.edits.push({ ...this.#document.spanOf(path), text: JSON.stringify(to), description })
  }

  #operator(path: DocumentPath, name: string, operands: unknown): void {
    const whole = { [name]: operands }
    for (const other of [shifted[name], opposite[name]]) {
      if (other !== undefined && !(Array.isArray(operands) && operands.length < 2)) {
        this.#replace(path, whole, { [other]: operands })
      }
    }
    if (name === 'not') this.#replace(path, whole, operands)
    if (!Array.isArray(operands)) return
    if (name === 'all' || name === 'any') {
      for (const [index, operand] of operands.entries()) {
        if (operands.length < 2) break
        const rest = operands.filter((_, at) => at !== index)
        this.#replace(path, whole, { [name]: rest }, `${show(operand)} dropped`)
      }
    }
    const [left, right] = operands
    const sign = signs[name]
    const stand = Object(left).or
    // What stands in for a missing fact matters where it is what the fact is compared with.
    if (stand !== undefined && ['string', 'number', 'boolean'].includes(typeof right) && stand !== right) {
      this.#replace([...path, name, 0, 'or'], stand, right)
    }
    if (typeof right === 'number' && sign !== undefined) {
      this.#replace([...path, name, 1], right, otherNumber(right, sign))
    }
    if (name === 'in' && Array.isArray(right) && right.length > 1) {
      for (const [index, each] of right.entries()) {
        const rest = right.filter((_, at) => at !== index)
        this.#replace([...path, name, 1], right, rest, `${show(each)} dropped`)
      }
    }
  }

  #condition(path: DocumentPath, value: unknown): void {
    if (Array.isArray(value)) {
      for (const [index, each] of value.entries()) this.#condition([...path, index], each)
      return
    }
    if (typeof value !== 'object' || value === null) return
    for (const [name, operands] of Object.entries(value)) {
      this.#operator(path, name, operands)
      this.#condition([...path, name], operands)
    }
  }

  #effect(path: DocumentPath, value: unknown): void {
    if (Array.isArray(value)) {
      for (const [index, each] of value.entries()) this.#effect([...path, index], each)
      return
    }
    if (typeof value !== 'object' || value === null) return
    for (const [name, member] of Object.entries(value)) {
      const at = [...path, name]
      if (name === 'code' && typeof member === 'string')
        this.#replace(at, member, `NOT_${member}`.slice(0, 64))
      else if (name === 'locality') this.#replace(at, member, member === 'cloud' ? 'on-prem' : 'cloud')
      else if (name === 'model' || name === 'target') {
        const other = typeof member === 'string' ? this.#otherModel(member) : undefined
        if (other !== undefined) this.#replace(at, member, other)
      } else if (typeof member === 'number') this.#replace(at, member, member + 1)
      else this.#effect(at, member)
    }
  }

  #onError(path: DocumentPath, value: unknown): void {
    if (typeof value === 'string') this.#replace(path, value, value === 'deny' ? 'continue' : 'deny')
  }

  #rule(path: DocumentPath, rule: Record<string, unknown>): void {
    const { id, when, then, onError } = rule
    const isGuardrail = Object(this.#document.value).kind === 'guardrail'
    const never = { lt: [{ fact: isGuardrail ? 'text.chars' : 'nowMs' }, 0] }
    this.#replace(path, rule, { ...rule, when: never }, `rule ${String(id)} dropped`)
    if (when !== undefined) {
      const { when: _, ...rest } = rule
      this.#replace(path, rule, rest, `rule ${String(id)} without its condition`)
      this.#condition([...path, 'when'], when)
    }
    this.#effect([...path, 'then'], then)
    this.#onError([...path, 'onError'], onError)
  }

  mutate(): readonly Edit[] {
    const value: Record<string, unknown> = Object(this.#document.value)
    const { rules, onError, when, then } = value
    if (Array.isArray(rules)) {
      for (const [index, rule] of rules.entries()) this.#rule(['rules', index], Object(rule))
    } else {
      this.#condition(['when'], when)
      this.#effect(['then'], then)
    }
    this.#onError(['onError'], onError)
    return this.edits
  }
}

/** The edits that make wrong versions of a JSON policy or guardrail. Throws DocumentError where it does not parse. */
export function mutateJson(file: string, text: string, otherModel: OtherModel): readonly Edit[] {
  return new JsonMutator(parseJsonDocument(file, text), otherModel).mutate()
}
