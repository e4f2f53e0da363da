import type { AnyNode, Expression as ExpressionNode } from 'acorn'
import { type Atom, type CompiledModule, type CompiledSite, siteKey } from './condition.ts'
import { bindPattern } from './fact-chain.ts'
import { FactReads, type ReadingContext } from './fact-reads.ts'
import type { FactSchema } from './fact-types.ts'
import { type Insertion, instrument, wrap } from './instrument.ts'
import { liftAtom } from './lift.ts'
import type { FoundFunction, ModuleGraph } from './module-graph.ts'
import type { ProblemList } from './problem-list.ts'
import { apiName, type FunctionNode, isFunction, type TsScope } from './ts-scope.ts'
import { walk } from './ts-source.ts'

type Call = Extract<AnyNode, { type: 'CallExpression' }>
type ObjectNode = Extract<AnyNode, { type: 'ObjectExpression' }>

/** Calls whose options the compiler looks into. */
const siteNames = ['rule', 'constraint', 'route', 'guardrail']
const textCharactersMax = 300

export interface TsPolicyScope {
  readonly graph: ModuleGraph
  readonly facts: FactSchema
  readonly guardrailFacts: FactSchema
  readonly problems: ProblemList
}

/** The function that a member of the options is: written there, or by name. */
interface Member {
  readonly node: ExpressionNode
  readonly found: FoundFunction | undefined
}

/** The one expression that a function gives; undefined for any other body. */
function resultOf(node: FunctionNode): ExpressionNode | undefined {
  if (node.body.type !== 'BlockStatement') return node.body
  const [only, second] = node.body.body
  return only?.type === 'ReturnStatement' && second === undefined ? (only.argument ?? undefined) : undefined
}

/** The atoms of a condition, from left to right. */
function atomNodes(node: ExpressionNode): ExpressionNode[] {
  if (node.type === 'LogicalExpression' && node.operator !== '??') {
    return [...atomNodes(node.left), ...atomNodes(node.right)]
  }
  return node.type === 'UnaryExpression' && node.operator === '!' ? atomNodes(node.argument) : [node]
}

/** Reads one file of an author: what its rules ask, and code that notes it while it runs. */
class TsPolicyCompiler {
  readonly #scope: TsScope
  readonly #around: TsPolicyScope
  readonly #sites = new Map<string, CompiledSite>()
  readonly #insertions: Insertion[] = []

  constructor(scope: TsScope, around: TsPolicyScope) {
    this.#scope = scope
    this.#around = around
  }

  #report(node: AnyNode, code: string, message: string): void {
    const { source } = this.#scope
    this.#around.problems.add(source.file, source.at(node), { code, message })
  }

  #context(facts: FactSchema): ReadingContext {
    const { graph, problems } = this.#around
    return {
      graph,
      facts,
      unknownFact: ({ source }, node, message) =>
        problems.add(source.file, source.at(node), { code: 'unknown_fact', message }),
    }
  }

  #member(options: ObjectNode, name: string): Member | undefined {
    const isNamed = (key: AnyNode) =>
      (key.type === 'Identifier' && key.name === name) || (key.type === 'Literal' && key.value === name)
    const property = options.properties.find((each) => each.type === 'Property' && isNamed(each.key))
    if (property?.type !== 'Property') return undefined
    const node = property.value
    if (isFunction(node)) return { node, found: { node, scope: this.#scope } }
    const found =
      node.type === 'Identifier' ? this.#around.graph.findFunction(node.name, this.#scope) : undefined
    return { node, found }
  }

  #textOf(node: AnyNode): string {
    const text = this.#scope.source.text.slice(node.start, node.end).replace(/\s+/g, ' ')
    return text.length > textCharactersMax ? `${text.slice(0, textCharactersMax)}…` : text
  }

  /** A condition as one position: a function that the compiler cannot take apart. */
  #opaque(member: Member, facts: FactSchema): { atoms: Atom[]; reads: FactReads } {
    const reads = new FactReads(this.#context(facts))
    if (member.found === undefined) reads.readAll()
    else reads.readFunction(member.found, { parameter: 0, path: [] })
    return { atoms: [{ expression: null, text: this.#textOf(member.node), reads: [...reads.reads] }], reads }
  }

  /** The atoms of a condition, each wrapped in the code where it stands; null where it cannot be taken apart. */
  #takeApart(member: Member, facts: FactSchema): { atoms: Atom[]; reads: FactReads } | null {
    const { node } = member
    const result = isFunction(node) ? resultOf(node) : undefined
    const pattern = isFunction(node) ? node.params[0] : undefined
    const bound = pattern === undefined ? [] : bindPattern(pattern, [])
    if (result === undefined || bound === undefined) return null
    const whole = new FactReads(this.#context(facts))
    const bindings = new Map(bound)
    const { graph } = this.#around
    const atoms = atomNodes(result).map((each, position): Atom => {
      const own = new FactReads(this.#context(facts))
      own.readCode(each, this.#scope, { bindings })
      for (const path of own.reads) whole.reads.add(path)
      whole.escapes ||= own.escapes
      this.#insertions.push(...wrap(each, `(__trace[${position}]=__pending,__trace[${position}]=(`, '))'))
      const expression = liftAtom(each, { bindings, scope: this.#scope, graph, facts })
      return { expression, text: this.#textOf(each), reads: [...own.reads] }
    })
    return { atoms, reads: whole }
  }

  #readThen(member: Member | undefined, facts: FactSchema): FactReads {
    const reads = new FactReads(this.#context(facts))
    if (member?.found === undefined) reads.readAll()
    else reads.readFunction(member.found, { parameter: 0, path: [] })
    return reads
  }

  /** Whether a function can be called and answers at once; reports it if not. */
  #isPlain(member: Member | undefined): boolean {
    const node = member?.found?.node
    if (node === undefined || (!node.async && !node.generator)) return true
    const message =
      'a policy decides at once: "when" and "then" are plain functions, not async and no generators'
    this.#report(member?.node ?? node, 'async', message)
    return false
  }

  #idPosition(call: Call): CompiledSite['position'] {
    return this.#scope.source.at(call.arguments[0] ?? call)
  }

  /** Options that are not written in place: nothing is known of them before they run. */
  #unknownSite(call: Call): { site: CompiledSite; conditions: number; fixed: boolean } {
    const [, options = call] = call.arguments
    const position = this.#scope.source.at(call)
    const idPosition = this.#idPosition(call)
    const atoms: Atom[] = [{ expression: null, text: this.#textOf(options), reads: ['*'] }]
    const site = { position, idPosition, thenPosition: position, atoms, reads: new Set(['*']), escapes: true }
    return { site, conditions: -1, fixed: false }
  }

  #site(call: Call, name: string): { site: CompiledSite; conditions: number; fixed: boolean } {
    const [, options] = call.arguments
    const position = this.#scope.source.at(call)
    const idPosition = this.#idPosition(call)
    if (name === 'constraint' || name === 'route') {
      const site = {
        position,
        idPosition,
        thenPosition: position,
        atoms: [],
        reads: new Set<string>(),
        escapes: false,
      }
      return { site, conditions: 0, fixed: false }
    }
    const isPlain =
      options?.type === 'ObjectExpression' && options.properties.every((each) => each.type === 'Property')
    if (!isPlain) return this.#unknownSite(call)
    const facts = name === 'guardrail' ? this.#around.guardrailFacts : this.#around.facts
    const when = this.#member(options, 'when')
    const then = this.#member(options, 'then')
    const isUsable = [when, then].map((member) => this.#isPlain(member)).every(Boolean)
    const apart = when === undefined ? null : this.#takeApart(when, facts)
    const condition = apart ?? (when === undefined ? undefined : this.#opaque(when, facts))
    const effects = this.#readThen(then, facts)
    const site: CompiledSite = {
      position,
      idPosition,
      thenPosition: then === undefined ? position : this.#scope.source.at(then.node),
      atoms: condition?.atoms ?? [],
      reads: new Set([...(condition?.reads.reads ?? []), ...effects.reads]),
      escapes: effects.escapes || condition?.reads.escapes === true,
      ...(!isUsable && { unusable: true }),
    }
    const conditions = apart === null && when !== undefined ? -1 : site.atoms.length
    return { site, conditions, fixed: effects.reads.size === 0 && !effects.escapes }
  }

  #params(): Map<string, ReturnType<TsScope['source']['at']>> {
    const { source, constants } = this.#scope
    const params = new Map<string, ReturnType<typeof source.at>>()
    const atTop = new Set<AnyNode>(constants.values())
    walk(source.program, (node) => {
      if (node.type !== 'CallExpression' || !apiName(node.callee, this.#scope)?.startsWith('param.'))
        return true
      const [name] = node.arguments
      if (!atTop.has(node)) {
        this.#report(node, 'param', 'a param is declared as a constant at the top of a file')
      } else if (name?.type !== 'Literal' || typeof name.value !== 'string') {
        this.#report(node, 'param', 'the name of a param is written in place, as a string')
      } else params.set(name.value, source.at(name))
      return true
    })
    return params
  }

  compile(): CompiledModule {
    const { source, defaultExport } = this.#scope
    const { file, program } = source
    let index = 0
    walk(program, (node) => {
      if (node.type !== 'CallExpression') return true
      const name = apiName(node.callee, this.#scope)
      const [, options] = node.arguments
      if (name === undefined || !siteNames.includes(name) || !options || options.type === 'SpreadElement')
        return true
      const key = siteKey(file, index++)
      const { site, conditions, fixed } = this.#site(node, name)
      this.#sites.set(key, site)
      this.#insertions.push(...wrap(options, `__at(${JSON.stringify(key)},${conditions},${fixed},`, ')'))
      return true
    })
    const params = this.#params()
    const imports = this.#around.graph.importsOf(this.#scope)
    return {
      file,
      ...instrument(source, this.#insertions),
      sites: this.#sites,
      imports,
      params,
      defaultPosition: defaultExport && source.at(defaultExport),
    }
  }
}

/** Compiles a TypeScript file to a module. Undefined where it does not parse; all is reported. */
export function compileTsModule(file: string, around: TsPolicyScope): CompiledModule | undefined {
  const scope = around.graph.scope(file)
  return scope === undefined ? undefined : new TsPolicyCompiler(scope, around).compile()
}
