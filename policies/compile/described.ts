import { type Effect, PolicyFile, type PolicyKind } from '@signalbox/sdk/contract'
import type { TSchema } from 'typebox'
import { checkEffects } from '../evaluation/effect-shape.ts'
import type { DescribedDefinition, DescribedRule } from '../runtime/wire.ts'
import type { SourceFiles } from './built-version.ts'
import type { CompiledModule, CompiledSite } from './condition.ts'
import { checkEffectNames } from './effect-names.ts'
import { isOfShape } from './json-policy.ts'
import { didYouMean } from './near-name.ts'
import type { Finding, ProblemList } from './problem-list.ts'
import { schemaFindings } from './schema-problems.ts'
import { type Position, startOfFile } from './text-position.ts'
import { checkModelName, type WorkspaceNames } from './workspace-names.ts'

/** What checks of described policies need to know. */
export interface DescribedScope {
  readonly modules: ReadonlyMap<string, CompiledModule>
  readonly sites: ReadonlyMap<string, CompiledSite>
  readonly names: WorkspaceNames
  /** The workspace's own safe route. */
  readonly safeRoute: string | undefined
  readonly problems: ProblemList
  /** Sources of the workspace. */
  readonly files: SourceFiles
}

const policyId = /^[a-z0-9][a-z0-9._-]{0,127}$/
const ruleId = /^[a-z0-9][a-z0-9._-]{0,63}$/
const rulesMax = 256
/** As many as a trace has room for. */
const conditionsMax = 4096
const ruleMembers = ['when', 'then', 'onError']
const onErrors: Readonly<Record<PolicyKind, readonly string[]>> = {
  constraint: ['deny', 'continue'],
  route: ['deny', 'continue', 'safeRoute'],
}
const optionsSchema = optionsSchemaOf()

const policyMembers = ['description', 'match', 'onError', 'safeRoute', 'rules']

function unknownMember(name: string): string {
  return `unknown member "${name}"${didYouMean(name, policyMembers) || `; there is ${policyMembers.join(', ')}`}`
}

/** Options of a policy in TypeScript: those of the JSON form, without what the builder's arguments say. */
function optionsSchemaOf(): TSchema {
  const schema = JSON.parse(JSON.stringify(PolicyFile))
  const { description, match, onError, safeRoute } = schema.properties
  const phase = { enum: ['route'] }
  const properties = { description, match, onError, safeRoute, phase }
  return { type: 'object', properties, additionalProperties: false }
}

export function siteOf(key: string | null | undefined, scope: DescribedScope): CompiledSite | undefined {
  return key === null || key === undefined ? undefined : scope.sites.get(key)
}

/** The file a site stands in; a rule may come from another file than its policy. */
export function fileOfSite(key: string | null | undefined, file: string): string {
  return key?.replace(/:\d+$/, '') ?? file
}

/** Checks one policy as the sandbox tells of it. JSON was checked where it was written; names and ids are left. */
export class DescribedPolicy {
  readonly file: string
  readonly kind: PolicyKind
  readonly id: string
  readonly #described: DescribedDefinition
  readonly #scope: DescribedScope
  readonly #isJson: boolean

  constructor(described: DescribedDefinition, kind: PolicyKind, scope: DescribedScope) {
    this.file = described.file
    this.kind = kind
    this.id = String(described.id)
    this.#described = described
    this.#scope = scope
    this.#isJson = described.file.endsWith('.json')
  }

  get position(): Position {
    return siteOf(this.#described.site, this.#scope)?.position ?? startOfFile
  }

  get idPosition(): Position {
    return siteOf(this.#described.site, this.#scope)?.idPosition ?? this.position
  }

  report(position: Position, finding: Finding, file = this.file): void {
    this.#scope.problems.add(file, position, finding)
  }

  check(): void {
    const { rules = [], options = {} } = this.#described
    if (!policyId.test(this.id)) {
      const message = `"${this.id}" is no id: small letters, digits, ".", "_" and "-"`
      this.report(this.idPosition, { code: 'id', message })
    }
    if (!this.#isJson) this.#checkOptions()
    this.#checkSafeRoute(options.safeRoute)
    if (rules.length === 0)
      this.report(this.position, { code: 'schema', message: 'a policy needs at least one rule' })
    this.#checkSize(rules)
    const seen = new Set<unknown>()
    for (const rule of rules) {
      if (rule === null) {
        this.report(this.position, { code: 'schema', message: 'each of "rules" is made with rule(…)' })
        continue
      }
      this.#checkRule(rule, seen.has(rule.id))
      seen.add(rule.id)
    }
  }

  #checkSize(rules: readonly (DescribedRule | null)[]): void {
    const conditions = rules.reduce((sum, rule) => sum + (rule?.conditions ?? 0), 0)
    if (rules.length <= rulesMax && conditions <= conditionsMax) return
    const message = `a policy has at most ${rulesMax} rules with ${conditionsMax} conditions together`
    this.report(this.position, { code: 'policy_too_large', message })
  }

  #checkOptions(): void {
    const { options = {}, functions = [] } = this.#described
    const [unexpected] = functions
    if (unexpected !== undefined) {
      this.report(this.position, { code: 'unknown_member', message: unknownMember(unexpected) })
    }
    for (const { code, message, path } of schemaFindings(optionsSchema, options)) {
      const said = code === 'unknown_member' && path.length === 1 ? unknownMember(String(path[0])) : message
      this.report(this.position, { code, message: said })
    }
    this.#checkOnError(options.onError, this.position, this.file)
    if (this.kind === 'constraint' && options.safeRoute !== undefined) {
      const message = 'a constraint has no safe route: it only narrows'
      this.report(this.position, { code: 'unknown_member', message })
    }
  }

  #checkSafeRoute(safeRoute: unknown): void {
    if (typeof safeRoute !== 'string') return
    const finding = checkModelName(safeRoute, this.#scope.names)
    if (finding !== undefined)
      this.report(this.position, { ...finding, message: `"safeRoute": ${finding.message}` })
  }

  #checkOnError(onError: unknown, position: Position, file: string): void {
    if (onError === undefined) return
    const allowed = onErrors[this.kind]
    if (!allowed.some((each) => each === onError)) {
      const message = `"onError" of a ${this.kind} must be one of ${allowed.join(', ')}`
      this.report(position, { code: 'on_error', message }, file)
      return
    }
    const { options = {} } = this.#described
    const has = options.safeRoute ?? this.#scope.safeRoute
    if (onError === 'safeRoute' && has === undefined) {
      const message = '"onError" is "safeRoute", but neither the policy nor signalbox.yaml has a "safeRoute"'
      this.report(position, { code: 'on_error', message }, file)
    }
  }

  #checkRule(rule: DescribedRule, isSecond: boolean): void {
    const file = fileOfSite(rule.site, this.file)
    const site = siteOf(rule.site, this.#scope)
    const position = site?.position ?? this.position
    const idPosition = site?.idPosition ?? position
    const id = String(rule.id)
    if (typeof rule.id !== 'string' || !ruleId.test(rule.id)) {
      const message = `"${id}" is no id of a rule: small letters, digits, ".", "_" and "-"`
      this.report(idPosition, { code: 'id', message }, file)
    } else if (isSecond) {
      const message = `the policy "${this.id}" has two rules "${id}"`
      this.report(idPosition, { code: 'duplicate_id', message }, file)
    }
    this.#checkOnError(rule.options.onError, position, file)
    if (this.#isJson || site?.unusable) return
    this.#checkRuleMembers(rule, position, file)
    this.#checkSaid(rule, { position: site?.thenPosition ?? position, file })
  }

  #checkRuleMembers(rule: DescribedRule, position: Position, file: string): void {
    for (const name of [...Object.keys(rule.options), ...rule.functions]) {
      if (ruleMembers.includes(name)) continue
      const message = `unknown member "${name}"${didYouMean(name, ruleMembers)}`
      this.report(position, { code: 'unknown_member', message }, file)
    }
    if (rule.options.when !== undefined) {
      this.report(position, { code: 'schema', message: '"when" must be a function of the facts' }, file)
    }
    if (!rule.functions.includes('then')) {
      this.report(
        position,
        { code: 'schema', message: 'a rule needs "then", a function that says what follows' },
        file,
      )
    }
  }

  /** What a rule always says is checked here; the rest when it is said. */
  #checkSaid({ effects, broken }: DescribedRule, place: { position: Position; file: string }): void {
    if (broken !== undefined) {
      this.report(place.position, { code: 'broken_rule', message: `"then" fails: ${broken}` }, place.file)
    }
    if (effects === null) return
    const findings = checkEffects(effects, this.kind, { check: schemaFindings })
    // A builder without an engine was reported where it is called.
    const isTold = this.#scope.problems.hasCode(place.file, 'unsupported_strategy')
    for (const { code, message } of findings) {
      if (code === 'unsupported_strategy' && isTold) continue
      this.report(place.position, { code, message }, place.file)
    }
    if (findings.some(isOfShape)) return
    // The shape was just checked.
    for (const effect of effects as readonly Effect[]) {
      for (const { code, message } of checkEffectNames(effect, this.#scope.names)) {
        // What is written in place was told of there.
        if (this.#scope.problems.says(place.file, message)) continue
        this.report(place.position, { code, message }, place.file)
      }
    }
  }
}
