import type { AnyNode } from 'acorn'
import { bindPattern, chainOf, type FactBindings, resolveChain } from './fact-chain.ts'
import type { FactSchema } from './fact-types.ts'
import type { FoundFunction, ModuleGraph } from './module-graph.ts'
import { apiName, isFunction, type TsScope } from './ts-scope.ts'
import { childrenOf, namesInPattern } from './ts-source.ts'

type CallNode = Extract<AnyNode, { type: 'CallExpression' }>

/** What reading the code needs to know; all of it is the same for a whole build. */
export interface ReadingContext {
  readonly graph: ModuleGraph
  readonly facts: FactSchema
  /** Told of paths that lead nowhere. */
  unknownFact(scope: TsScope, node: AnyNode, message: string): void
  /** Told of members that are not named but worked out. */
  dynamicFact(scope: TsScope, node: AnyNode, owner: string): void
}

/** Methods of lists and strings that leave what they are called on as it is. */
const harmless = new Set([
  ...['at', 'concat', 'endsWith', 'every', 'filter', 'find', 'findIndex', 'findLast', 'flatMap', 'forEach'],
  ...['includes', 'indexOf', 'join', 'lastIndexOf', 'map', 'match', 'padStart', 'reduce', 'replace', 'slice'],
  ...[
    'some',
    'split',
    'startsWith',
    'substring',
    'toFixed',
    'toLowerCase',
    'toString',
    'toUpperCase',
    'trim',
  ],
])
const callsFollowedMax = 8

/**
 * Finds out which facts code reads, without running it. What cannot be said reads all (`*`): a policy may be handed too
 * much, never too little.
 */
export class FactReads {
  readonly reads = new Set<string>()
  /** Some part of the facts that is an object may be kept or handed on. */
  escapes = false
  readonly #context: ReadingContext

  constructor(context: ReadingContext) {
    this.#context = context
  }

  readAll(): void {
    this.reads.add('*')
    this.escapes = true
  }

  /** Reads the body of a function, one of whose parameters is a part of the facts. */
  readFunction(
    found: FoundFunction,
    options: { parameter: number; path: readonly string[] },
    depth = 0,
  ): void {
    const { node, scope } = found
    const pattern = node.params[options.parameter]
    // `arguments` has no names; a function without the parameter can reach the facts by it only.
    if (pattern === undefined) {
      if (node.type !== 'ArrowFunctionExpression' && mentions(node.body, 'arguments')) this.readAll()
      return
    }
    const bound = bindPattern(pattern, options.path)
    if (bound === undefined || depth > callsFollowedMax) {
      this.readAll()
      return
    }
    this.readCode(node.body, scope, { bindings: new Map(bound), depth })
  }

  /** Reads a piece of code in which some names stand for parts of the facts. */
  readCode(node: AnyNode, scope: TsScope, options: { bindings: FactBindings; depth?: number }): void {
    const { bindings, depth = 0 } = options
    if (declares(node, bindings) || mentions(node, 'arguments') || mentions(node, 'eval')) this.readAll()
    else new Reader(this, this.#context, { scope, bindings, depth }).visit(node)
  }
}

/** Whether a name is used anywhere in some code. */
function mentions(node: AnyNode, name: string): boolean {
  return (
    (node.type === 'Identifier' && node.name === name) ||
    childrenOf(node).some((each) => mentions(each, name))
  )
}

/** Whether code gives one of the names another meaning somewhere. */
function declares(node: AnyNode, bindings: FactBindings): boolean {
  const patterns: (AnyNode | null | undefined)[] = []
  if (node.type === 'VariableDeclarator') patterns.push(node.id)
  if (node.type === 'CatchClause') patterns.push(node.param)
  if (node.type === 'ClassDeclaration' || isFunction(node)) patterns.push(node.id)
  if (isFunction(node)) patterns.push(...node.params)
  const names = patterns.flatMap((pattern) => (pattern ? namesInPattern(pattern) : []))
  return names.some((name) => bindings.has(name)) || childrenOf(node).some((each) => declares(each, bindings))
}

interface Around {
  readonly scope: TsScope
  readonly bindings: FactBindings
  readonly depth: number
}

class Reader {
  readonly #found: FactReads
  readonly #context: ReadingContext
  readonly #around: Around

  constructor(found: FactReads, context: ReadingContext, around: Around) {
    this.#found = found
    this.#context = context
    this.#around = around
  }

  visit(node: AnyNode): void {
    const chain = chainOf(node, this.#around.bindings)
    if (chain === undefined && node.type === 'MemberExpression' && node.computed) this.#checkNamed(node)
    if (chain !== undefined) this.#take(chain, node)
    else if (node.type === 'CallExpression') this.#call(node)
    else if (node.type === 'BinaryExpression' && node.operator === 'in') this.#in(node)
    else if (node.type === 'VariableDeclarator') this.#declare(node)
    else if (node.type === 'AssignmentExpression' || node.type === 'UpdateExpression') this.#change(node)
    else if (node.type === 'UnaryExpression' && node.operator === 'delete') this.#change(node)
    else for (const child of valuesIn(node)) this.visit(child)
  }

  /** Members of objects are named; members of lists may be counted. */
  #checkNamed(node: Extract<AnyNode, { type: 'MemberExpression' }>): void {
    const owner = chainOf(node.object, this.#around.bindings)
    if (owner === undefined) return
    const fact = owner.length === 0 ? undefined : resolveChain(owner, this.#context.facts)
    const isObject =
      fact === undefined || (!('unknown' in fact) && fact.rest.length === 0 && fact.type.kinds.has('object'))
    if (isObject) this.#context.dynamicFact(this.#around.scope, node, owner.join('.'))
  }

  /** A fact used as a value. */
  #take(chain: readonly string[], node: AnyNode, handsOn = true): void {
    if (chain.length === 0) {
      this.#found.readAll()
      return
    }
    const fact = resolveChain(chain, this.#context.facts)
    if ('unknown' in fact) {
      this.#context.unknownFact(this.#around.scope, node, fact.unknown)
      return
    }
    this.#found.reads.add(fact.path)
    const isHandedOn = fact.rest.length === 0 ? fact.isWhole && handsOn : fact.holdsObjects
    if (isHandedOn) this.#found.escapes = true
  }

  #visitAll(nodes: readonly AnyNode[]): void {
    for (const node of nodes) this.visit(node)
  }

  #call(node: CallNode): void {
    const { callee } = node
    const method = chainOf(callee, this.#around.bindings)
    if (method !== undefined) {
      this.#method(method, callee)
      this.#visitAll(node.arguments)
      return
    }
    const [first, ...others] = node.arguments
    const api = apiName(callee, this.#around.scope)
    if (api === 'inBucket' && first && chainOf(first, this.#around.bindings)?.length === 0) {
      this.#found.reads.add('subject.stickyKey')
      this.#visitAll(others)
      return
    }
    if (callee.type === 'Identifier') this.#callByName(callee.name, node)
    else this.#visitAll([callee, ...node.arguments])
  }

  /** A fact's own method: `f.request.tools.names.includes(…)`. */
  #method(chain: readonly string[], node: AnyNode): void {
    const name = chain.at(-1) ?? ''
    const owner = chain.slice(0, -1)
    if (owner.join('.') === 'models' && name === 'where') return
    const fact = owner.length === 0 ? undefined : resolveChain(owner, this.#context.facts)
    const isOwnMethod = fact !== undefined && !('unknown' in fact) && !fact.type.kinds.has('object')
    this.#take(isOwnMethod ? owner : chain, node, false)
    if (!isOwnMethod || !harmless.has(name) || fact.holdsObjects) this.#found.escapes = true
  }

  /** A function that is handed facts reads what its body reads, where its body can be found. */
  #callByName(name: string, node: CallNode): void {
    const { scope, bindings, depth } = this.#around
    const found = this.#context.graph.findFunction(name, scope)
    for (const [parameter, argument] of node.arguments.entries()) {
      const path = chainOf(argument, bindings)
      if (path === undefined || found === undefined) this.visit(argument)
      else this.#found.readFunction(found, { parameter, path }, depth + 1)
    }
  }

  #in(node: Extract<AnyNode, { type: 'BinaryExpression' }>): void {
    const { left, right } = node
    const owner = chainOf(right, this.#around.bindings)
    if (owner !== undefined && left.type === 'Literal' && typeof left.value === 'string') {
      this.#take([...owner, left.value], right, false)
    } else this.#visitAll(left.type === 'PrivateIdentifier' ? [right] : [left, right])
  }

  /** `const { request } = f`: each name reads what it is bound to. */
  #declare(node: Extract<AnyNode, { type: 'VariableDeclarator' }>): void {
    const path = node.init ? chainOf(node.init, this.#around.bindings) : undefined
    const bound = path === undefined ? undefined : bindPattern(node.id, path)
    if (bound === undefined) this.#visitAll(valuesIn(node))
    else for (const [, each] of bound) this.#take(each, node)
  }

  /** Facts cannot be changed; code that tries meets a frozen object. */
  #change(node: AnyNode): void {
    const changed = node.type === 'AssignmentExpression' ? node.left : Object(node).argument
    if (chainOf(changed, this.#around.bindings) !== undefined) this.#found.escapes = true
    this.#visitAll(valuesIn(node))
  }
}

/** Children of a node that are values, and not names of members or labels. */
export function valuesIn(node: AnyNode): AnyNode[] {
  if (node.type === 'MemberExpression') return node.computed ? [node.object, node.property] : [node.object]
  const hasKey =
    node.type === 'Property' || node.type === 'MethodDefinition' || node.type === 'PropertyDefinition'
  if (hasKey) return [...(node.computed ? [node.key] : []), ...(node.value ? [node.value] : [])]
  if (node.type === 'LabeledStatement') return [node.body]
  if (node.type === 'BreakStatement' || node.type === 'ContinueStatement') return []
  return childrenOf(node)
}
