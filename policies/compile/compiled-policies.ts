import type {
  CompiledPolicy,
  CompiledWorkspace,
  Effect,
  ParamDeclaration,
  PolicyMatch,
} from '@signalbox/sdk/contract'
import { planFeatures } from '@signalbox/sdk/contract'
import { canonicalJson } from '@signalbox/sdk/node'
import { checkEffects } from '../evaluation/effect-shape.ts'
import type { DescribedDefinition, DescribedRule, Description } from '../runtime/wire.ts'
import type { RuleAtoms } from './build-vectors.ts'
import type { CompiledModule } from './condition.ts'
import { DescribedPolicy, type DescribedScope, fileOfSite, siteOf } from './described.ts'
import { DescribedGuardrail } from './described-guardrail.ts'
import { modelsNamedBy } from './effect-names.ts'
import { declarationFindings } from './param-declarations.ts'
import { startOfFile } from './text-position.ts'

/** What the sandbox and the compiler together know of a workspace's definitions. */
export interface CompiledDefinitions {
  readonly policies: CompiledPolicy[]
  readonly guardrails: CompiledWorkspace['guardrails']
  /** Aliases and targets that policies name. */
  readonly named: string[]
  /** Route → where it goes when it breaks. */
  readonly safeRoutes: ReadonlyMap<string, string>
  /** Conditions that are data, by rule. */
  readonly rules: RuleAtoms[]
}
type Compiled = CompiledPolicy['rules'][number]
type Params = ReadonlyMap<string, ParamDeclaration>

function conditionsOf(rule: DescribedRule, scope: DescribedScope): Compiled['conditions'] {
  const atoms = siteOf(rule.site, scope)?.atoms ?? []
  return Array.from({ length: rule.conditions }, (_, index) => {
    const { text, reads, expression } = atoms[index] ?? { text: 'when', reads: ['*'], expression: null }
    const known = { text, reads: [...reads].sort(), lifted: expression !== null }
    return expression === null ? known : { ...known, expression }
  })
}

/** Facts that a rule reads, in its condition or its effects. */
function readsOf(rule: DescribedRule, scope: DescribedScope): string[] {
  return [...(siteOf(rule.site, scope)?.reads ?? ['*'])].sort()
}

/** Files that a file is made of: itself and what it imports. */
function closureOf(file: string, modules: ReadonlyMap<string, CompiledModule>): string[] {
  const seen = new Set([file])
  for (const each of seen) for (const imported of modules.get(each)?.imports ?? []) seen.add(imported)
  return [...seen]
}

function paramsOf(
  file: string,
  params: Params,
  modules: ReadonlyMap<string, CompiledModule>,
): CompiledPolicy['params'] {
  const names = closureOf(file, modules).flatMap((each) => [...(modules.get(each)?.params.keys() ?? [])])
  const known = [...new Set(names)].sort().flatMap((name) => {
    const declaration = params.get(name)
    return declaration === undefined ? [] : [[name, declaration] as const]
  })
  return Object.fromEntries(known)
}

/** Params by name. One name has one declaration in a workspace, however many policies read it. */
function readParams(described: Description['params'], scope: DescribedScope): Params {
  const params = new Map<string, ParamDeclaration>()
  const places = [...scope.modules.values()].flatMap((module) =>
    [...module.params].map(([name, position]) => ({ name, position, file: module.file })),
  )
  for (const { name, declaration } of described) {
    const [place, other] = places.filter((each) => each.name === name)
    const { file, position } = place ?? { file: 'signalbox.yaml', position: startOfFile }
    const [finding] = declarationFindings(name, declaration)
    const known = params.get(String(name))
    if (finding !== undefined) scope.problems.add(file, position, finding)
    else if (known !== undefined && canonicalJson(known) !== canonicalJson(declaration)) {
      const message = `the param "${name}" is declared in ${file} too, in another way`
      const at = other ?? { file, position }
      scope.problems.add(at.file, at.position, { code: 'param', message })
    } else params.set(String(name), declaration as ParamDeclaration)
  }
  return params
}

function compilePolicy(
  described: DescribedDefinition,
  policy: DescribedPolicy,
  around: DescribedScope & { params: Params },
): CompiledPolicy {
  const { file, kind, id, position } = policy
  const rules = (described.rules ?? []).filter((rule) => rule !== null)
  const reads = new Set(rules.flatMap((rule) => readsOf(rule, around)))
  const match = described.options?.match as PolicyMatch | undefined
  return {
    id,
    kind,
    file,
    ...(match !== undefined && { match }),
    params: paramsOf(file, around.params, around.modules),
    rules: rules.map((rule): Compiled => {
      const isHere = fileOfSite(rule.site, file) === file
      const { line, column } = (isHere ? siteOf(rule.site, around)?.position : undefined) ?? position
      const conditions = conditionsOf(rule, around)
      return { id: String(rule.id), line, column, conditions, reads: readsOf(rule, around) }
    }),
    reads: [...reads].sort(),
  }
}

/** Definitions of one kind of file, checked one by one. */
class DefinitionReader {
  readonly #scope: DescribedScope & { params: Params }
  readonly #ids = new Map<string, string>()
  readonly result: CompiledDefinitions & { safeRoutes: Map<string, string> } = {
    policies: [],
    guardrails: [],
    named: [],
    safeRoutes: new Map(),
    rules: [],
  }

  constructor(scope: DescribedScope & { params: Params }) {
    this.#scope = scope
  }

  read(described: DescribedDefinition): void {
    const { file, kind } = described
    const isGuardrailFile = /\.guardrail\.(ts|json)$/.test(file)
    if (isGuardrailFile && kind === 'guardrail') this.#guardrail(described)
    else if (!isGuardrailFile && (kind === 'constraint' || kind === 'route')) this.#policy(described, kind)
    else {
      const wanted = isGuardrailFile ? 'guardrail(…)' : 'constraint(…) or route(…)'
      const position = this.#scope.modules.get(file)?.defaultPosition ?? startOfFile
      const found = kind === undefined ? `something else (${described.instead})` : `a ${kind}`
      const message = `the default export of this file is made with ${wanted}, here is ${found}`
      this.#scope.problems.add(file, position, { code: 'default_export', message })
    }
  }

  #isNew(kind: string, id: string, policy: { file: string; report: (message: string) => void }): boolean {
    const other = this.#ids.get(`${kind} ${id}`)
    if (other !== undefined) policy.report(`the ${kind} "${id}" stands in ${other} too`)
    else this.#ids.set(`${kind} ${id}`, policy.file)
    return other === undefined
  }

  #policy(described: DescribedDefinition, kind: 'constraint' | 'route'): void {
    const policy = new DescribedPolicy(described, kind, this.#scope)
    policy.check()
    const report = (message: string) => policy.report(policy.idPosition, { code: 'duplicate_id', message })
    if (!this.#isNew('policy', policy.id, { file: policy.file, report })) return
    const { policies, named, safeRoutes, rules } = this.result
    for (const rule of described.rules ?? []) {
      const atoms = siteOf(rule?.site, this.#scope)?.atoms ?? []
      const expressions = atoms.flatMap(({ expression }) => (expression === null ? [] : [expression]))
      if (expressions.length > 0) rules.push({ name: `${policy.id}/${String(rule?.id)}`, expressions })
    }
    policies.push(compilePolicy(described, policy, this.#scope))
    const effects = (described.rules ?? []).flatMap((rule) => rule?.effects ?? [])
    for (const effect of effects) {
      const isGood = checkEffects([effect], kind, { features: planFeatures }).length === 0
      if (isGood) named.push(...modelsNamedBy(effect as Effect))
    }
    const safeRoute = described.options?.safeRoute ?? this.#scope.safeRoute
    if (kind === 'route' && typeof safeRoute === 'string') safeRoutes.set(policy.id, safeRoute)
  }

  #guardrail(described: DescribedDefinition): void {
    const guardrail = new DescribedGuardrail(described, this.#scope)
    const { file, id, idPosition: position } = guardrail
    const report = (message: string) =>
      guardrail.report({ code: 'duplicate_id', message }, { file, position })
    const compiled = guardrail.compile()
    if (this.#isNew('guardrail', id, { file, report }) && compiled !== undefined) {
      const params = paramsOf(file, this.#scope.params, this.#scope.modules)
      this.result.guardrails.push({ ...compiled, params })
    }
  }
}

/** Checks what the script holds and puts it together with what the compiler knows of its places. */
export function compileDefinitions(description: Description, scope: DescribedScope): CompiledDefinitions {
  const params = readParams(description.params, scope)
  const reader = new DefinitionReader({ ...scope, params })
  for (const described of description.definitions) reader.read(described)
  return reader.result
}
