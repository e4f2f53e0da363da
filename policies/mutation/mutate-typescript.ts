import type { AnyNode } from 'acorn'
import { apiName, isFunction, readScope, type TsScope } from '../compile/ts-scope.ts'
import { parseTsSource, type TsSource, walk } from '../compile/ts-source.ts'
import { type Edit, oppositeComparisons, otherNumber, replacing, shiftedComparisons } from './edits.ts'

type ObjectNode = Extract<AnyNode, { type: 'ObjectExpression' }>
type Call = Extract<AnyNode, { type: 'CallExpression' }>
/** Names that a workspace can put in the place of a model. */
type OtherModel = (name: string) => string | undefined

function memberOf(node: ObjectNode, name: string): { whole: AnyNode; value: AnyNode } | undefined {
  for (const property of node.properties) {
    if (property.type !== 'Property' || property.key.type !== 'Identifier') continue
    if (property.key.name === name) return { whole: property, value: property.value }
  }
  return undefined
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}

/** Makes the wrong versions of one TypeScript file. */
/** Builders whose first argument is a code. */
const saysCode = ['deny', 'block', 'refuse', 'redact', 'flag']

class TsMutator {
  readonly #source: TsSource
  readonly #scope: TsScope
  readonly #otherModel: OtherModel
  readonly edits: Edit[] = []

  constructor(source: TsSource, otherModel: OtherModel) {
    this.#source = source
    this.#scope = readScope(source)
    this.#otherModel = otherModel
  }

  #replace(node: AnyNode, text: string): void {
    this.edits.push(replacing(this.#source.text, node, text))
  }

  #text(node: AnyNode): string {
    return this.#source.text.slice(node.start, node.end)
  }

  /** Both sides of an operator as they are written, parentheses included, which the tree does not have. */
  #sides(
    node: Extract<AnyNode, { type: 'BinaryExpression' | 'LogicalExpression' }>,
  ): [left: string, right: string] {
    const { text } = this.#source
    const at = text.indexOf(node.operator, node.left.end)
    return [text.slice(node.start, at).trim(), text.slice(at + node.operator.length, node.end).trim()]
  }

  /** `a < 5` and the like: boundary, opposite, constant. */
  #comparison(node: Extract<AnyNode, { type: 'BinaryExpression' }>): void {
    const { left, right, operator } = node
    if (left.type === 'PrivateIdentifier') return
    const opposite = oppositeComparisons[operator]
    if (opposite === undefined) return
    const [before, after] = this.#sides(node)
    const with_ = (sign: string): string => `${before} ${sign} ${after}`
    const shifted = shiftedComparisons[operator]
    if (shifted !== undefined) this.#replace(node, with_(shifted))
    this.#replace(node, with_(opposite))
    const stand = left.type === 'LogicalExpression' && left.operator === '??' ? left.right : undefined
    // What stands in for a missing fact matters where it is what the fact is compared with.
    if (stand?.type === 'Literal' && right.type === 'Literal' && stand.raw !== right.raw) {
      this.#replace(stand, this.#text(right))
    }
    const constant = right.type === 'Literal' ? right.value : undefined
    if (typeof constant === 'number' && shifted !== undefined) {
      this.#replace(right, String(otherNumber(constant, operator)))
    }
  }

  #condition(node: AnyNode): void {
    walk(node, (each) => {
      if (each.type === 'BinaryExpression') this.#comparison(each)
      else if (each.type === 'LogicalExpression' && each.operator !== '??') {
        const [left, right] = this.#sides(each)
        this.#replace(each, `(${left}) ${each.operator === '&&' ? '||' : '&&'} (${right})`)
        this.#replace(each, left)
        this.#replace(each, right)
      } else if (each.type === 'UnaryExpression' && each.operator === '!') {
        this.#replace(each, this.#text(each.argument))
      }
      return true
    })
  }

  #effectCall(call: Call): void {
    const { callee } = call
    const method =
      callee.type === 'MemberExpression' && callee.property.type === 'Identifier'
        ? callee.property.name
        : undefined
    const name = apiName(callee, this.#scope) ?? method
    const [first] = call.arguments
    if (['use', 'target', 'fallback', 'ordered'].includes(name ?? '')) {
      for (const each of call.arguments) {
        if (each.type !== 'Literal' || typeof each.value !== 'string') continue
        const other = this.#otherModel(each.value)
        if (other !== undefined) this.#replace(each, quote(other))
      }
    }
    if (saysCode.includes(name ?? '') && first?.type === 'Literal' && typeof first.value === 'string') {
      this.#replace(first, quote(`NOT_${first.value}`.slice(0, 64)))
    }
    const chained = ['fallback', 'prompt', 'annotate', 'variant', 'reasoningLevel'].includes(name ?? '')
    if (chained && callee.type === 'MemberExpression' && callee.object.type !== 'Super') {
      this.#replace(call, this.#text(callee.object))
    }
  }

  #effect(node: AnyNode): void {
    walk(node, (each) => {
      if (each.type === 'CallExpression') this.#effectCall(each)
      else if (each.type === 'Literal' && typeof each.value === 'number') {
        this.#replace(each, String(each.value + 1))
      } else if (each.type === 'Property' && each.value.type === 'Literal') {
        const { key, value } = each
        const name = key.type === 'Identifier' ? key.name : ''
        if (name === 'locality') this.#replace(value, value.value === 'cloud' ? "'on-prem'" : "'cloud'")
      } else if (each.type === 'ArrayExpression' && each.elements.length > 1) {
        for (const element of each.elements) {
          const rest = each.elements.flatMap((other) =>
            other === null || other === element ? [] : this.#text(other),
          )
          if (element?.type === 'CallExpression') this.#replace(each, `[${rest.join(', ')}]`)
        }
      }
      return true
    })
  }

  #onError(options: ObjectNode): void {
    const onError = memberOf(options, 'onError')
    if (onError?.value.type !== 'Literal') return
    this.#replace(onError.value, onError.value.value === 'deny' ? "'continue'" : "'deny'")
  }

  #rule(call: Call, options: ObjectNode): void {
    const when = memberOf(options, 'when')
    const then = memberOf(options, 'then')
    if (when === undefined) {
      const at = { start: options.start + 1, end: options.start + 1 }
      this.edits.push({ ...at, text: ' when: () => false,', description: `${this.#ruleName(call)} dropped` })
    } else {
      const { value } = when
      this.edits.push({
        start: value.start,
        end: value.end,
        text: '() => false',
        description: `${this.#ruleName(call)} dropped`,
      })
      this.edits.push({
        start: value.start,
        end: value.end,
        text: '() => true',
        description: `${this.#ruleName(call)} without its condition`,
      })
      if (isFunction(value)) this.#condition(value.body)
    }
    if (then !== undefined && isFunction(then.value)) this.#effect(then.value.body)
    this.#onError(options)
  }

  #ruleName(call: Call): string {
    const [id] = call.arguments
    return id?.type === 'Literal' ? `rule ${String(id.value)}` : 'rule'
  }

  mutate(): readonly Edit[] {
    walk(this.#source.program, (node) => {
      if (node.type !== 'CallExpression') return true
      const name = apiName(node.callee, this.#scope)
      const [, options] = node.arguments
      if (options?.type !== 'ObjectExpression') return true
      const isRule = name === 'guardrail' && memberOf(options, 'rules') === undefined
      if (name === 'rule' || isRule) {
        this.#rule(node, options)
        return false
      }
      if (name === 'constraint' || name === 'route' || name === 'guardrail') this.#onError(options)
      return true
    })
    return this.edits
  }
}

/** The edits that make wrong versions of a TypeScript policy. Throws DocumentError where it does not parse. */
export function mutateTypeScript(file: string, text: string, otherModel: OtherModel): readonly Edit[] {
  return new TsMutator(parseTsSource(file, text), otherModel).mutate()
}
