import {
  type CompiledGuardrail,
  type GuardrailAction,
  GuardrailWindow,
  guardrailDetectorsMax,
  guardrailRunning,
  guardrailWindowBytesMax,
} from '@signalbox/sdk/contract'
import { Type } from 'typebox'
import { checkActions } from '../evaluation/guardrail-actions.ts'
import type { DescribedDefinition, DescribedRule } from '../runtime/wire.ts'
import { type DescribedScope, fileOfSite, siteOf } from './described.ts'
import { runningFindings } from './guardrail-running.ts'
import { didYouMean } from './near-name.ts'
import { offendingPlace } from './offending-place.ts'
import type { Finding } from './problem-list.ts'
import { schemaFindings } from './schema-problems.ts'
import { type Position, startOfFile } from './text-position.ts'

const guardrailId = /^[a-z0-9][a-z0-9._-]{0,127}$/
const ruleId = /^[a-z0-9][a-z0-9._-]{0,63}$/
const detectorName = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/
const rulesMax = 256
const conditionsMax = 4096
const onErrors = ['deny', 'continue']
/** Members beside functions and rules. */
const Options = Type.Object(
  {
    description: Type.Optional(Type.String({ maxLength: 1024 })),
    direction: Type.Enum(['input', 'output']),
    detectors: Type.Optional(Type.Array(Type.String({ pattern: detectorName.source }))),
    window: Type.Optional(GuardrailWindow),
    onError: Type.Optional(Type.Enum(onErrors)),
    ...guardrailRunning,
  },
  { additionalProperties: false },
)

interface KnownOptions {
  readonly description?: string
  readonly direction: 'input' | 'output'
  readonly detectors?: readonly string[]
  readonly window?: GuardrailWindow
  readonly onError?: string
}
/** Members that say how it is run. */
type Running = Pick<CompiledGuardrail, keyof typeof guardrailRunning>
interface Place {
  readonly file: string
  readonly position: Position
}

/** Checks one guardrail as the sandbox tells of it, and works out what the host has to run and hand over for it. */
export class DescribedGuardrail {
  readonly file: string
  readonly id: string
  readonly #described: DescribedDefinition
  readonly #scope: DescribedScope

  constructor(described: DescribedDefinition, scope: DescribedScope) {
    this.file = described.file
    this.id = String(described.id)
    this.#described = described
    this.#scope = scope
  }

  get position(): Position {
    return siteOf(this.#described.site, this.#scope)?.position ?? startOfFile
  }

  get idPosition(): Position {
    return siteOf(this.#described.site, this.#scope)?.idPosition ?? this.position
  }

  report(finding: Finding, { file, position }: Place = { file: this.file, position: this.position }): void {
    // JSON was checked where it is written, which tells of the very member.
    if (this.#scope.problems.says(file, finding.message)) return
    const place = offendingPlace(this.#scope.files.get(file), finding.offending, position)
    this.#scope.problems.add(file, place, finding)
  }

  /** The guardrail as a version holds it; undefined where its options are wrong. All is reported. */
  compile(): CompiledGuardrail | undefined {
    if (!guardrailId.test(this.id)) {
      const message = `"${this.id}" is no id: small letters, digits, ".", "_" and "-"`
      this.report({ code: 'id', message }, { file: this.file, position: this.idPosition })
    }
    const { options = {}, rules: given = [] } = this.#described
    const isPipeline = Array.isArray(options.pipeline)
    // What has no rules of its own is not taken for a rule.
    const described = isPipeline && !Object.hasOwn(options, 'rules') && this.#hasNoRules(given) ? [] : given
    // A guardrail that is a rule itself has its functions among its options.
    const isShort = this.#described.functions?.includes('then') === true
    const findings = schemaFindings(Options, options)
    for (const finding of findings) this.report(finding)
    const rules = this.#rules(described, isShort)
    if (findings.length > 0) return undefined
    // Fits the schema, as was just checked.
    const known: KnownOptions & Running = Object(options)
    const { description, direction, window, detectors: declared, onError: _, ...running } = known
    const reads = this.#reads(rules)
    const detectors = this.#detectors(declared, reads, rules)
    this.#checkWindow(window, reads)
    const compiled: CompiledGuardrail = {
      id: this.id,
      file: this.file,
      direction,
      ...(description !== undefined && { description }),
      detectors,
      ...(window !== undefined && { window }),
      ...running,
      reads,
      rules: rules.map((rule) => this.#compileRule(rule)),
    }
    const actions = rules.flatMap(({ effects }) => effects ?? [])
    for (const finding of runningFindings(compiled, actions)) this.report(finding)
    return compiled
  }

  /** Whether the one rule that stands for a guardrail without any says nothing. */
  #hasNoRules([first, second]: readonly (DescribedRule | null)[]): boolean {
    return second === undefined && first?.functions.length === 0
  }

  #compileRule(rule: DescribedRule): NonNullable<CompiledGuardrail['rules']>[number] {
    const site = siteOf(rule.site, this.#scope)
    const { line, column } =
      fileOfSite(rule.site, this.file) === this.file ? (site?.position ?? this.position) : this.position
    const conditions = Array.from({ length: rule.conditions }, (_, index) => {
      const { text, reads, expression } = site?.atoms[index] ?? {
        text: 'when',
        reads: ['*'],
        expression: null,
      }
      return { text, reads: [...reads].sort(), lifted: expression !== null }
    })
    return { id: String(rule.id), line, column, conditions }
  }

  #rules(described: readonly (DescribedRule | null)[], isShort: boolean): DescribedRule[] {
    const rules = described.filter((rule) => rule !== null)
    const conditions = rules.reduce((sum, rule) => sum + rule.conditions, 0)
    if (rules.length < described.length) {
      this.report({ code: 'schema', message: 'each of "rules" is made with rule(…)' })
    }
    const { options } = this.#described
    if (described.length === 0 && !Array.isArray(options?.pipeline))
      this.report({ code: 'schema', message: 'a guardrail needs at least one rule' })
    if (rules.length > rulesMax || conditions > conditionsMax) {
      const message = `a guardrail has at most ${rulesMax} rules with ${conditionsMax} conditions together`
      this.report({ code: 'policy_too_large', message })
    }
    const seen = new Set<unknown>()
    for (const rule of rules) {
      this.#checkRule(rule, { isSecond: seen.has(rule.id), isShort })
      seen.add(rule.id)
    }
    return rules
  }

  #checkRule(rule: DescribedRule, { isSecond, isShort }: { isSecond: boolean; isShort: boolean }): void {
    const site = siteOf(rule.site, this.#scope)
    const file = fileOfSite(rule.site, this.file)
    const position = site?.position ?? this.position
    const at = { file, position: site?.idPosition ?? position }
    if (!isShort && (typeof rule.id !== 'string' || !ruleId.test(rule.id))) {
      const message = `"${String(rule.id)}" is no id of a rule: small letters, digits, ".", "_" and "-"`
      this.report({ code: 'id', message }, at)
    } else if (isSecond) {
      this.report(
        { code: 'duplicate_id', message: `the guardrail "${this.id}" has two rules "${String(rule.id)}"` },
        at,
      )
    }
    if (!isShort) this.#checkMembers(rule, { file, position })
    if (isShort && !rule.functions.includes('when')) {
      this.report({
        code: 'schema',
        message: 'a guardrail without "rules" needs "when", a function of its facts',
      })
    }
    this.#checkSaid(rule, { file, position: site?.thenPosition ?? position })
  }

  #checkMembers(rule: DescribedRule, place: Place): void {
    const known = ['when', 'then', 'onError']
    for (const name of [...Object.keys(rule.options), ...rule.functions]) {
      if (known.includes(name)) continue
      this.report(
        { code: 'unknown_member', message: `unknown member "${name}"${didYouMean(name, known)}` },
        place,
      )
    }
    const { onError } = rule.options
    if (onError !== undefined && !onErrors.some((each) => each === onError)) {
      this.report(
        { code: 'on_error', message: '"onError" of a guardrail must be one of deny, continue' },
        place,
      )
    }
    if (rule.functions.includes('then')) return
    this.report({ code: 'schema', message: 'a rule needs "then", a function that says what follows' }, place)
  }

  /** What a rule always says is checked here; the rest when it is said. */
  #checkSaid({ effects, broken }: DescribedRule, place: Place): void {
    if (broken !== undefined) this.report({ code: 'broken_rule', message: `"then" fails: ${broken}` }, place)
    if (effects === null || this.file.endsWith('.json')) return
    if (effects.length === 0)
      this.report({ code: 'effect', message: 'a rule of a guardrail says something' }, place)
    for (const { code, message } of checkActions(effects, schemaFindings))
      this.report({ code, message }, place)
  }

  #reads(rules: readonly DescribedRule[]): string[] {
    const reads = rules.flatMap((rule) => [...(siteOf(rule.site, this.#scope)?.reads ?? ['*'])])
    return [...new Set(reads)].sort()
  }

  /** Detectors that have to run: those that the conditions read, and those that redactions name. */
  #detectors(
    declared: readonly string[] | undefined,
    reads: readonly string[],
    rules: readonly DescribedRule[],
  ): string[] {
    const named = rules.flatMap(({ effects }) => (effects ?? []).flatMap(detectorsOfAction))
    const seen = reads.flatMap((path) => /^findings\.([^.]+)/.exec(path)?.[1] ?? [])
    const read = [...new Set([...seen, ...named])].sort()
    const isOpen = reads.some((path) => path === '*' || path === 'findings')
    if (declared === undefined && isOpen) {
      const message = 'it cannot be seen which detectors this guardrail reads: name them in "detectors"'
      this.report({ code: 'detectors', message })
    }
    for (const detector of declared === undefined ? [] : read) {
      if (declared?.includes(detector)) continue
      const message = `"${detector}" is read but not named in "detectors"${didYouMean(detector, declared ?? [])}`
      this.report({ code: 'detectors', message })
    }
    const all = declared === undefined ? read : [...new Set(declared)].sort()
    if (all.length > guardrailDetectorsMax) {
      const message = `a guardrail reads at most ${guardrailDetectorsMax} detectors, these are ${all.length}`
      this.report({ code: 'detectors', message })
    }
    const redacts = rules.some(({ effects }) => (effects ?? []).some(redactsFindings))
    if (redacts && all.length === 0) {
      this.report({
        code: 'detectors',
        message: 'this guardrail redacts what no detector can find: it reads none',
      })
    }
    return all
  }

  #checkWindow(window: GuardrailWindow | undefined, reads: readonly string[]): void {
    const { firstBytes, lastBytes } = window ?? {}
    const bytes = (firstBytes ?? 0) + (lastBytes ?? 0)
    if (bytes > guardrailWindowBytesMax) {
      const message = `"window" has ${bytes} bytes, at most ${guardrailWindowBytesMax} are possible`
      this.report({ code: 'window', message })
    }
    const isOpen = reads.some((path) => path === '*' || path === 'text')
    for (const [name, size] of [
      ['first', firstBytes],
      ['last', lastBytes],
    ] as const) {
      const isRead = reads.some(
        (path) => path === `text.${name}` || (name === 'last' && path === 'text.lastStart'),
      )
      if (isRead && size === undefined) {
        const message = `"text.${name}" is never there: declare "window": { "${name}Bytes": … }`
        this.report({ code: 'window', message })
      }
      if (isRead || isOpen || size === undefined) continue
      const message = `"window" hands over "text.${name}", which nothing reads`
      this.report({ code: 'window', message, severity: 'warning' })
    }
  }
}

function redactionOf(
  action: unknown,
): Partial<Extract<GuardrailAction, { redact: unknown }>['redact']> | undefined {
  const { redact } = Object(action)
  return typeof redact === 'object' && redact !== null ? redact : undefined
}

function detectorsOfAction(action: unknown): string[] {
  const { detectors } = redactionOf(action) ?? {}
  return Array.isArray(detectors) ? detectors.filter((each) => typeof each === 'string') : []
}

function redactsFindings(action: unknown): boolean {
  const redaction = redactionOf(action)
  return redaction !== undefined && redaction.spans === undefined
}
