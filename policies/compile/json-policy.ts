import { type Effect, type Expression, PolicyFile } from '@signalbox/sdk/contract'
import type { TSchema } from 'typebox'
import type { SchemaCheck } from '../evaluation/effect-finding.ts'
import { checkEffects, effectName, effectNames } from '../evaluation/effect-shape.ts'
import { atomsOf, type CompiledModule, type CompiledSite, type Params, siteKey } from './condition.ts'
import { ConditionCompiler } from './condition-compiler.ts'
import { checkEffectNames } from './effect-names.ts'
import { type ExpressionScope, factCode } from './expression-checker.ts'
import { type Fact, type FactSchema, isKnownFact, lookUpFact, typeOfSchema } from './fact-types.ts'
import { type JsonRule, jsonModule } from './json-module.ts'
import { didYouMean } from './near-name.ts'
import { checkParamDeclarations } from './param-declarations.ts'
import type { ProblemList } from './problem-list.ts'
import { reportSchemaProblems, schemaFindings } from './schema-problems.ts'
import type { DocumentPath, SourceDocument } from './source-document.ts'
import type { WorkspaceNames } from './workspace-names.ts'

/** What the policies of a workspace may refer to. */
export interface PolicyScope {
  readonly facts: FactSchema
  readonly names: WorkspaceNames
  readonly problems: ProblemList
}

/** The file's schema, without what is checked in its own words: effects and params. */
const outline = outlineOf()

function outlineOf(): TSchema {
  const schema = JSON.parse(JSON.stringify(PolicyFile))
  schema.properties.rules.items.properties.then = {}
  schema.properties.params = { type: 'object' }
  return schema
}

/** JavaScript for a member of an effect, and the facts it reads. */
interface FactCode {
  readonly code: string
  readonly reads: readonly string[]
}

const check: SchemaCheck = (schema, value) => schemaFindings(schema, value)

/** Whether a finding is about the form of an effect, and not about what the gateway can do. */
export function isOfShape({ code }: { readonly code: string }): boolean {
  return code !== 'unsupported_strategy'
}

/** Where an effect stands: a rule says one, or several in a list. */
function effectPath(rule: number, then: unknown, path: DocumentPath): DocumentPath {
  const [index, ...rest] = path
  const base = ['rules', rule, 'then']
  if (index === undefined) return base
  return Array.isArray(then) ? [...base, index, ...rest] : [...base, ...rest]
}

/** Compiles one policy in JSON form. */
class JsonPolicyCompiler {
  readonly #document: SourceDocument
  readonly #scope: PolicyScope
  readonly #file: PolicyFile
  readonly #expressions: ExpressionScope

  constructor(document: SourceDocument, scope: PolicyScope) {
    this.#document = document
    this.#scope = scope
    // Fits the outline; the rest is checked rule by rule.
    this.#file = document.value as PolicyFile
    const params: Params = checkParamDeclarations(document, scope.problems)
    this.#expressions = {
      facts: scope.facts,
      params,
      hasCaller: true,
      report: (path, finding, part) => document.report(scope.problems, path, finding, part),
    }
  }

  #report(path: DocumentPath, finding: { code: string; message: string }, part?: 'key' | 'value'): void {
    this.#document.report(this.#scope.problems, path, finding, part)
  }

  /** Effects of a rule that are good in shape; their names are checked here. */
  #effects(then: unknown, rule: number): Effect[] {
    const said: unknown[] = Array.isArray(then) ? then : [then]
    const findings = checkEffects(said, this.#file.kind, { check })
    for (const finding of findings) {
      const [index] = finding.path
      const written = Object(said[Number(index)])
      const isUnknown = finding.code === 'unknown_effect' && effectName(written) === undefined
      const hint = isUnknown ? didYouMean(Object.keys(written)[0] ?? '', effectNames) : ''
      const message = `${finding.message}${hint}`
      this.#report(effectPath(rule, then, finding.path), { code: finding.code, message }, finding.part)
    }
    if (findings.some(isOfShape)) return []
    // The shape was just checked.
    const effects = said as Effect[]
    for (const [index, effect] of effects.entries()) {
      for (const finding of checkEffectNames(effect, this.#scope.names)) {
        this.#report(effectPath(rule, then, [index, ...finding.path]), finding)
      }
    }
    return effects
  }

  /** A model that is read from a fact: JavaScript for it, and the fact. */
  #modelFact(effect: Effect, rule: number, then: unknown): FactCode | undefined {
    if (!('use' in effect) || typeof effect.use.model === 'string') return undefined
    const { fact: path, or } = effect.use.model
    const place = effectPath(rule, then, [0, 'use', 'model', 'fact'])
    const fact = lookUpFact(this.#scope.facts, path)
    if (!isKnownFact(fact)) {
      this.#report(place, { code: 'unknown_fact', message: fact.unknown })
      return undefined
    }
    if (fact.kinds.size !== 1 || !fact.kinds.has('string')) {
      const message = `type mismatch: "model" needs a string, "${path}" is ${[...fact.kinds].join(' or ')}`
      this.#report(place, { code: 'type_mismatch', message })
    }
    return { code: `model:(${factCode(path, fact.optional)}??${JSON.stringify(or)})`, reads: [path] }
  }

  /** Variables of a prompt that are read from facts. */
  #promptFacts(effect: Effect, rule: number, then: unknown): FactCode | undefined {
    const prompt = 'use' in effect ? effect.use.prompt : undefined
    if (prompt === undefined || typeof prompt === 'string') return undefined
    const reads: string[] = []
    const members = Object.entries(prompt.variables ?? {}).map(([name, value]) => {
      const member = `[${JSON.stringify(name)}]`
      if (typeof value !== 'object' || Array.isArray(value)) return `${member}:${JSON.stringify(value)}`
      const fact = lookUpFact(this.#scope.facts, value.fact)
      const place = effectPath(rule, then, [0, 'use', 'prompt', 'variables', name, 'fact'])
      if (!isKnownFact(fact)) {
        this.#report(place, { code: 'unknown_fact', message: fact.unknown })
        return `${member}:null`
      }
      reads.push(value.fact)
      this.#checkVariable(fact, value, { prompt: prompt.name, name }, place)
      const otherwise = value.or === undefined ? '' : `??${JSON.stringify(value.or)}`
      return `${member}:(${factCode(value.fact, fact.optional)}${otherwise})`
    })
    const code = `prompt:{name:${JSON.stringify(prompt.name)},variables:{${members.join()}}}`
    return reads.length === 0 ? undefined : { code, reads }
  }

  /** A fact can be a value of a prompt's variable, and is there where the prompt needs it. */
  #checkVariable(
    fact: Fact,
    value: { fact: string; or?: unknown },
    variable: { prompt: string; name: string },
    place: DocumentPath,
  ): void {
    const declared = this.#scope.names.prompts.get(variable.prompt)?.[variable.name]
    if (declared === undefined) return
    const type = typeOfSchema(Object(declared))
    const { required = true, default: standard } = Object(declared)
    if (![...fact.kinds].some((kind) => type.kinds.has(kind))) {
      const is = `"${value.fact}" is ${[...fact.kinds].join(' or ')}`
      const message = `type mismatch: "${variable.name}" needs a ${[...type.kinds].join(' or ')}, ${is}`
      this.#report(place, { code: 'type_mismatch', message })
    }
    const mayBeMissing = fact.optional.length > 0 && value.or === undefined
    if (!mayBeMissing || required === false || standard !== undefined) return
    const message = `"${value.fact}" may be missing: give a default with "or"`
    this.#report(place, { code: 'optional_fact', message })
  }

  #rule(index: number): { rule: JsonRule; site: CompiledSite } {
    const { id, when, then, onError } = this.#file.rules[index] as PolicyFile['rules'][number]
    const path = ['rules', index]
    const compiler = new ConditionCompiler(this.#expressions, this.#document)
    const whenPath = [...path, 'when']
    const compiled = when === undefined ? null : compiler.compile(when as Expression, whenPath)
    const effects = this.#effects(then, index)
    const modelFact = effects[0] === undefined ? undefined : this.#modelFact(effects[0], index, then)
    const promptFacts = effects[0] === undefined ? undefined : this.#promptFacts(effects[0], index, then)
    const useFacts = [modelFact, promptFacts].filter((each) => each !== undefined)
    if (this.#file.kind === 'constraint' && onError === 'safeRoute') {
      const message = 'a constraint has no safe route; "onError" is "deny" or "continue"'
      this.#report([...path, 'onError'], { code: 'on_error', message })
    }
    const atoms = compiled === null ? [] : atomsOf(compiled.condition)
    const reads = new Set(atoms.flatMap((atom) => atom.reads))
    for (const path of useFacts.flatMap((each) => each.reads)) reads.add(path)
    const site: CompiledSite = {
      position: this.#document.locate(path),
      idPosition: this.#document.locate([...path, 'id']),
      thenPosition: this.#document.locate([...path, 'then']),
      atoms,
      ...((when === undefined || compiled !== null) && { condition: compiled?.condition ?? null }),
      whenPosition: this.#document.locate(whenPath),
      reads,
      escapes: false,
    }
    const rule: JsonRule = {
      id,
      site: siteKey(this.#document.file, index + 1),
      conditions: atoms.length,
      when: compiled?.code ?? null,
      effects,
      useCode: useFacts.length === 0 ? null : useFacts.map(({ code }) => code).join(),
      onError,
      position: site.position,
    }
    return { rule, site }
  }

  compile(): CompiledModule {
    const { file } = this.#document
    const { kind, id, description, match, onError, safeRoute, rules } = this.#file
    if (kind === 'constraint') this.#checkConstraint()
    const compiled = rules.map((_, index) => this.#rule(index))
    const own = siteKey(file, 0)
    const start = this.#document.locate([])
    const whole: CompiledSite = {
      position: start,
      idPosition: this.#document.locate(['id']),
      thenPosition: start,
      atoms: [],
      reads: new Set(),
      escapes: false,
    }
    const sites = new Map(compiled.map(({ rule, site }) => [rule.site, site]))
    const params = new Map(
      Object.keys(this.#expressions.params).map((name) => [
        name,
        this.#document.locate(['params', name], 'key'),
      ]),
    )
    const header = { description, match, onError, safeRoute }
    const { code, map } = jsonModule(this.#document, {
      kind,
      id,
      site: own,
      header,
      params: this.#expressions.params,
      rules: compiled.map(({ rule }) => rule),
    })
    return { file, code, map, sites: sites.set(own, whole), imports: [], params, defaultPosition: start }
  }

  #checkConstraint(): void {
    if (this.#file.onError === 'safeRoute') {
      const message = 'a constraint has no safe route; "onError" is "deny" or "continue"'
      this.#report(['onError'], { code: 'on_error', message })
    }
    if (this.#file.safeRoute !== undefined) {
      const message = 'a constraint has no safe route: it only narrows'
      this.#report(['safeRoute'], { code: 'unknown_member', message }, 'key')
    }
  }
}

/** Compiles a policy in JSON form to a module. Undefined where it is not of its schema; all is reported. */
export function compileJsonPolicy(document: SourceDocument, scope: PolicyScope): CompiledModule | undefined {
  if (!reportSchemaProblems(outline, document, scope.problems)) return undefined
  return new JsonPolicyCompiler(document, scope).compile()
}
