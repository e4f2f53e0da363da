import {
  type CompiledGuardrail,
  type CompiledWorkspace,
  type Effect,
  type ParamDeclaration,
  type PolicyKind,
  type PolicyMatch,
  planFeatures,
} from '@signalbox/sdk/contract'
import type { CatalogueIndex } from '../../catalogue/index-catalogue.ts'
import { checkEffects } from '../../evaluation/effect-shape.ts'
import { LayerPath, type NameScope, namesOf } from '../../evaluation/layer-path.ts'
import { paramsOf } from '../../evaluation/param-values.ts'
import type { DescribedDefinition, DescribedRule, Description } from '../../runtime/wire.ts'
import type { Atom, CompiledModule, CompiledSite, Condition } from '../condition.ts'
import { fileOfSite } from '../described.ts'
import { factsSchemaOf, guardrailFactsSchemasOf } from '../fact-schemas.ts'
import type { ModuleGraph } from '../module-graph.ts'
import type { Finding } from '../problem-list.ts'
import { type Position, startOfFile } from '../text-position.ts'
import type { ReadWorkspaceFile } from '../workspace-file.ts'
import { and, type Formula, formulaOf, formulaOfAtom, unknown, type Vocabulary } from './formula.ts'

/** Something that an analysis has to say, and where. */
export interface PlacedFinding extends Finding {
  readonly file: string
  readonly position: Position
}
/** Looks at a whole workspace in its intermediate form; has no effects. */
export type Analysis = (workspace: AnalysedWorkspace) => readonly PlacedFinding[]

export interface AnalysedAtom extends Atom {
  readonly formula: Formula
}
export interface AnalysedRule {
  readonly id: string
  readonly file: string
  readonly position: Position
  readonly idPosition: Position
  readonly whenPosition: Position
  readonly thenPosition: Position
  readonly atoms: readonly AnalysedAtom[]
  /** Whether it asks nothing. */
  readonly isDefault: boolean
  /** When it holds, for a call that its policy is asked about. */
  readonly when: Formula
  /** What it says; null where that depends on the call. */
  readonly effects: readonly Effect[] | null
  readonly onError: unknown
}
export interface AnalysedPolicy {
  readonly id: string
  readonly kind: PolicyKind
  readonly file: string
  readonly position: Position
  readonly idPosition: Position
  readonly match: PolicyMatch | undefined
  /** Which calls it is asked about. */
  readonly asked: Formula
  readonly onError: unknown
  readonly safeRoute: unknown
  readonly rules: readonly AnalysedRule[]
}
export interface AnalysedGuardrail {
  readonly id: string
  readonly direction: 'input' | 'output'
  readonly rules: readonly AnalysedGuardrailRule[]
  /** Facts that any of its rules reads. */
  readonly reads: ReadonlySet<string>
}
export interface AnalysedGuardrailRule {
  readonly id: string
  readonly file: string
  readonly position: Position
  readonly whenPosition: Position
  readonly atoms: readonly AnalysedAtom[]
  readonly isDefault: boolean
  readonly when: Formula
  /** What it says; null where that depends on the text. */
  readonly says: readonly unknown[] | null
}
/** What names mean in an environment; the first one is that without overrides, named ''. */
export interface AnalysedEnvironment {
  readonly name: string
  readonly names: NameScope
  readonly path: LayerPath
}
export interface AnalysedWorkspace {
  readonly read: ReadWorkspaceFile
  readonly compiled: CompiledWorkspace
  readonly catalogue: CatalogueIndex
  readonly graph: ModuleGraph
  readonly modules: ReadonlyMap<string, CompiledModule>
  /** In the order in which they are asked. */
  readonly policies: readonly AnalysedPolicy[]
  readonly guardrails: readonly AnalysedGuardrail[]
  readonly environments: readonly AnalysedEnvironment[]
}
export type AnalysisInput = Omit<AnalysedWorkspace, 'policies' | 'guardrails' | 'environments'> & {
  readonly description: Description
}

/** `at all` for the workspace as it is, ` in production` for what an environment makes of it. */
export function inEnvironment({ name }: AnalysedEnvironment): string {
  return name === '' ? '' : ` in ${name}`
}

/** The calls that a `match` lets through. A glob with a star in its middle counts as a condition of its own. */
function formulaOfMatch(match: PolicyMatch | undefined, words: Vocabulary): Formula {
  const { operation, route, node } = match ?? {}
  const conditions: Formula[] = []
  const add = (expression: Atom['expression']) =>
    conditions.push(formulaOfAtom({ expression, text: '', reads: [] }, words, 'match'))
  if (operation !== undefined) add({ eq: [{ fact: 'request.operation' }, operation] })
  if (route !== undefined && route !== '*') {
    const [start = '', ...others] = route.split('*')
    const isSimple = others.length === 0 || (others.length === 1 && others[0] === '')
    if (!isSimple) conditions.push(unknown(`route ${route}`))
    add(
      others.length === 0
        ? { eq: [{ fact: 'request.route' }, route] }
        : { startsWith: [{ fact: 'request.route' }, start] },
    )
  }
  const path = node?.split('/').filter((name) => name !== '') ?? []
  for (const [index] of path.entries()) conditions.push(unknown(`node ${path.slice(0, index + 1).join('/')}`))
  return and(conditions)
}

class Reader {
  readonly #sites: ReadonlyMap<string, CompiledSite>
  readonly #compiled: CompiledWorkspace
  readonly #words: Vocabulary
  readonly #guardrailWords: Readonly<Record<'input' | 'output', Vocabulary>>

  constructor({ modules, compiled, read }: AnalysisInput) {
    this.#sites = new Map([...modules.values()].flatMap((module) => [...module.sites]))
    this.#compiled = compiled
    const params: Readonly<Record<string, ParamDeclaration>> = paramsOf(compiled)
    this.#words = { facts: factsSchemaOf(read.metadata), params }
    const { input, output } = guardrailFactsSchemasOf(read.metadata)
    this.#guardrailWords = { input: { facts: input, params }, output: { facts: output, params } }
  }

  #site(key: string | null | undefined): CompiledSite | undefined {
    return typeof key === 'string' ? this.#sites.get(key) : undefined
  }

  #condition(
    site: CompiledSite | undefined,
    words: Vocabulary,
    key: string,
  ): { atoms: AnalysedAtom[]; when: Formula; isDefault: boolean } {
    const condition: Condition | null | undefined = site?.condition
    const atoms = (site?.atoms ?? []).map((atom, index) => ({
      ...atom,
      formula: formulaOfAtom(atom, words, `${key} ${index}`),
    }))
    if (condition === null) return { atoms, when: true, isDefault: true }
    const when = condition === undefined ? unknown(key) : formulaOf(condition, words, key)
    return { atoms, when, isDefault: false }
  }

  #rule(rule: DescribedRule, policy: DescribedDefinition): AnalysedRule {
    const site = this.#site(rule.site)
    const position = site?.position ?? startOfFile
    const kind = policy.kind === 'route' ? 'route' : 'constraint'
    const features = planFeatures
    const isGood = rule.effects !== null && checkEffects(rule.effects, kind, { features }).length === 0
    return {
      id: String(rule.id),
      file: fileOfSite(rule.site, policy.file),
      position,
      idPosition: site?.idPosition ?? position,
      whenPosition: site?.whenPosition ?? position,
      thenPosition: site?.thenPosition ?? position,
      ...this.#condition(site, this.#words, rule.site ?? `${policy.file} ${String(rule.id)}`),
      // Their shape was just checked.
      effects: isGood ? (rule.effects as readonly Effect[]) : null,
      onError: rule.options.onError,
    }
  }

  policy(described: DescribedDefinition): AnalysedPolicy[] {
    const { file, kind, options = {}, rules = [] } = described
    const compiled = this.#compiled.policies.find((each) => each.file === file)
    if (compiled === undefined || (kind !== 'constraint' && kind !== 'route')) return []
    const site = this.#site(described.site)
    const position = site?.position ?? startOfFile
    return [
      {
        id: compiled.id,
        kind,
        file,
        position,
        idPosition: site?.idPosition ?? position,
        match: compiled.match,
        asked: formulaOfMatch(compiled.match, this.#words),
        onError: options.onError,
        safeRoute: options.safeRoute ?? this.#compiled.safeRoute,
        rules: rules.flatMap((rule) => (rule === null ? [] : [this.#rule(rule, described)])),
      },
    ]
  }

  #guardrailRule(rule: DescribedRule, { id, file, direction }: CompiledGuardrail): AnalysedGuardrailRule {
    const site = this.#site(rule.site)
    const position = site?.position ?? startOfFile
    return {
      id: String(rule.id),
      file: fileOfSite(rule.site, file),
      position,
      whenPosition: site?.whenPosition ?? position,
      says: rule.effects,
      ...this.#condition(site, this.#guardrailWords[direction], rule.site ?? `${file} ${id}`),
    }
  }

  guardrail({ file, rules = [] }: DescribedDefinition): AnalysedGuardrail[] {
    const compiled = this.#compiled.guardrails.find((each) => each.file === file)
    if (compiled === undefined) return []
    const { id, direction, reads } = compiled
    const analysed = rules.flatMap((rule) => (rule === null ? [] : [this.#guardrailRule(rule, compiled)]))
    return [{ id, direction, rules: analysed, reads: new Set(reads) }]
  }
}

/** Puts together what the analyses look at. */
export function analysedWorkspace(input: AnalysisInput): AnalysedWorkspace {
  const { description, ...others } = input
  const { compiled } = input
  const reader = new Reader(input)
  const environments = ['', ...Object.keys(compiled.environments)].map((name) => {
    const names = namesOf(compiled, name)
    return { name, names, path: new LayerPath([0], [names]) }
  })
  return {
    ...others,
    policies: description.definitions.flatMap((each) => reader.policy(each)),
    guardrails: description.definitions.flatMap((each) => reader.guardrail(each)),
    environments,
  }
}
