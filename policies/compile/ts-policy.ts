import type { AnyNode, Expression as ExpressionNode } from 'acorn'
import { type Atom, type CompiledModule, type CompiledSite, type Condition, siteKey } from './condition.ts'
import { FactReads, type ReadingContext } from './fact-reads.ts'
import type { FactSchema } from './fact-types.ts'
import { type Insertion, instrument, wrap } from './instrument.ts'
import { liftAtom } from './lift.ts'
import type { FoundFunction, ModuleGraph } from './module-graph.ts'
import { whyNotTakenApart, whyOpaque } from './opaque-reason.ts'
import type { ProblemList } from './problem-list.ts'
import { atomNodes, conditionOf, shapeOf } from './ts-condition.ts'
import { apiName, isFunction, type TsScope } from './ts-scope.ts'
import { walk } from './ts-source.ts'
import { reportUnsupportedBuilders } from './unsupported-builders.ts'

type Call = Extract<AnyNode, { type: 'CallExpression' }>
type ObjectNode = Extract<AnyNode, { type: 'ObjectExpression' }>

/** Calls whose options the compiler looks into. */
const siteNames = ['rule', 'constraint', 'route', 'guardrail']
const textCharactersMax = 300
export const guardrailFile = /\.guardrail\.(ts|json)$/

export interface TsPolicyScope {
  readonly graph: ModuleGraph
  readonly facts: FactSchema
  /** Facts of the guardrail that a file is about; those of an answer where its direction cannot be seen. */
  guardrailFacts(file: string): FactSchema
  readonly problems: ProblemList
}

/** The function that a member of the options is: written there, or by name. */
interface Member {
  readonly node: ExpressionNode
  readonly found: FoundFunction | undefined
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
      dynamicFact: ({ source }, node, owner) => {
        const text = source.text.slice(node.start, node.end).slice(0, textCharactersMax)
        const message = `\`${text}\` works out which fact it reads; name the member${owner === '' ? '' : `, as in ${owner}.NAME`}, so that it is known what a policy reads`
        problems.add(source.file, source.at(node), { code: 'dynamic_fact', message })
      },
    }
  }

  #property(options: ObjectNode, name: string): ObjectNode['properties'][number] | undefined {
    const isNamed = (key: AnyNode) =>
      (key.type === 'Identifier' && key.name === name) || (key.type === 'Literal' && key.value === name)
    return options.properties.find((each) => each.type === 'Property' && isNamed(each.key))
  }

  #member(options: ObjectNode, name: string): Member | undefined {
    const property = this.#property(options, name)
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
    const { node } = member
    const atom = { expression: null, text: this.#textOf(node), reads: [...reads.reads] }
    const position = this.#scope.source.at(node)
    return { atoms: [{ ...atom, position, opaque: whyNotTakenApart(node) }], reads }
  }

  /** The atoms of a condition, each wrapped in the code where it stands; null where it cannot be taken apart. */
  #takeApart(
    member: Member,
    facts: FactSchema,
  ): { atoms: Atom[]; reads: FactReads; condition: Condition } | null {
    const { node } = member
    const plain = isFunction(node) ? conditionOf(node) : undefined
    if (plain === undefined) return null
    const { result, bound, constants } = plain
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
      const atom = { expression, text: this.#textOf(each), reads: [...own.reads] }
      const place = { position: this.#scope.source.at(each) }
      return expression === null ? { ...atom, ...place, opaque: whyOpaque(each) } : { ...atom, ...place }
    })
    // A constant is bound whether the condition uses it or not: what leads to it has to be there.
    for (const [, parts] of constants) {
      const path = parts.join('.')
      const isRead = [...whole.reads].some((each) => `${each}.`.startsWith(`${path}.`))
      if (path !== '' && !isRead) whole.reads.add(path)
    }
    return { atoms, reads: whole, condition: shapeOf(result, atoms.values()) }
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
    const hasRules = options?.type === 'ObjectExpression' && this.#property(options, 'rules') !== undefined
    if (name === 'constraint' || name === 'route' || (name === 'guardrail' && hasRules)) {
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
    const { file } = this.#scope.source
    const isGuardrail = name === 'guardrail' || guardrailFile.test(file)
    const facts = isGuardrail ? this.#around.guardrailFacts(file) : this.#around.facts
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
      ...(apart !== null && { condition: apart.condition }),
      ...(when === undefined && { condition: null }),
      ...(when !== undefined && { whenPosition: this.#scope.source.at(when.node) }),
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
    reportUnsupportedBuilders(this.#scope, this.#around.problems)
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
