import type {
  CompiledGuardrail,
  CompiledPolicy,
  CompiledPrompt,
  CompiledWorkspace,
  PromptPart,
} from '@signalbox/sdk/contract'
import type { GuardrailEvaluation, InspectedEvaluation } from '../program.ts'
import type { Declared, DeclaredInVersion } from './declared-reasons.ts'

interface Place {
  readonly line: number
  readonly column: number
}
/** One condition, or a section of a prompt, and whether any case saw it true and false. */
export interface ConditionCoverage extends Place {
  readonly rule: string
  readonly text: string
  readonly lifted: boolean
  readonly seenTrue: boolean
  readonly seenFalse: boolean
}
/** One rule, and whether any case saw it match and be passed over. */
export interface RuleCoverage extends Place {
  readonly rule: string
  readonly matched: boolean
  readonly passedOver: boolean
  /** Without a condition it always holds where it is asked. */
  readonly always: boolean
}
/** A code that a rule gives as its reason. */
export interface ReasonCoverage extends Place {
  readonly rule: string
  readonly code: string
  readonly seen: boolean
}
/**
 * A way out of a rule that throws: its own, or the policy's where `rule` is null. Of a prompt: values that it refuses.
 */
export interface OnErrorCoverage extends Place {
  readonly rule: string | null
  readonly seen: boolean
}
export interface PolicyCoverage {
  /** Id of the policy or guardrail, or name of the prompt. */
  readonly policy: string
  readonly kind: 'policy' | 'guardrail' | 'prompt'
  readonly file: string
  readonly rules: readonly RuleCoverage[]
  readonly conditions: readonly ConditionCoverage[]
  readonly reasons: readonly ReasonCoverage[]
  readonly onErrors: readonly OnErrorCoverage[]
}

type Section = Extract<PromptPart, { section: string }>
const placeOf = ({ file, line, column }: Section): string => `${file}:${line}:${column}`

/** What cases saw of one policy or guardrail. */
class Seen {
  /** The letters at each position of the trace. */
  readonly letters: Set<string>[] = []
  readonly matched = new Set<string>()
  readonly passedOver = new Set<string>()
  /** `RULE CODE`. */
  readonly reasons = new Set<string>()
  /** Rules that threw. */
  readonly threw = new Set<string>()

  addTrace(trace: string): void {
    for (const [index, letter] of [...trace].entries()) {
      this.letters[index] ??= new Set()
      this.letters[index].add(letter)
    }
  }

  both(index: number): { seenTrue: boolean; seenFalse: boolean } {
    const letters = this.letters[index]
    return { seenTrue: letters?.has('1') ?? false, seenFalse: letters?.has('0') ?? false }
  }
}

/** Codes that an effect of a policy, or an action of a guardrail, gives as reasons. */
export function codesOf(effect: unknown): string[] {
  const { deny, only, block, refuse, redact, flag } = Object(effect)
  return [deny, only, block, refuse, redact, flag]
    .map((said) => Object(said).code)
    .filter((code) => typeof code === 'string')
}

/** Rules of a policy or guardrail as a version holds them. */
type CompiledRules = readonly NonNullable<CompiledGuardrail['rules']>[number][]

/** What all rules together come to: conditions, reasons and ways out of an error. */
function detailsOf(
  rules: CompiledRules,
  declared: Declared | undefined,
  seen: Seen,
): Pick<PolicyCoverage, 'conditions' | 'reasons' | 'onErrors'> {
  const conditions = rules.flatMap((rule) => rule.conditions.map((condition) => ({ rule, condition })))
  const placeOf = (id: string): Place => {
    const { line = 1, column = 1 } = rules.find((rule) => rule.id === id) ?? {}
    return { line, column }
  }
  const throwing = declared?.rules.filter(({ canThrow }) => canThrow) ?? []
  const shared = throwing.filter(({ ownOnError }) => !ownOnError).map(({ id }) => id)
  const own = throwing.filter(({ ownOnError }) => ownOnError)
  const [first] = shared
  return {
    conditions: conditions.map(({ rule, condition: { text, lifted } }, index) => {
      const { line, column } = rule
      return { rule: rule.id, text, line, column, lifted, ...seen.both(index) }
    }),
    reasons: (declared?.reasons ?? []).map((reason) => ({
      ...reason,
      seen: seen.reasons.has(`${reason.rule} ${reason.code}`),
    })),
    onErrors: [
      ...(first === undefined
        ? []
        : [{ rule: null, ...placeOf(first), seen: shared.some((id) => seen.threw.has(id)) }]),
      ...own.map(({ id }) => ({ rule: id, ...placeOf(id), seen: seen.threw.has(id) })),
    ],
  }
}

function rulesOf(rules: CompiledRules, seen: Seen): RuleCoverage[] {
  return rules.map(({ id, line, column, conditions: { length } }) => ({
    rule: id,
    line,
    column,
    matched: seen.matched.has(id),
    passedOver: seen.passedOver.has(id),
    always: length === 0,
  }))
}

/** Collects what the rules of policies came to over many evaluations. */
export class CoverageCounter {
  readonly #policies = new Map<string, Seen>()
  readonly #guardrails = new Map<string, Seen>()
  readonly #prompts = new Set<string>()
  /** Prompts that refused values of a case. */
  readonly #refused = new Set<string>()
  /** By place: a section of a partial is one section, whichever prompt includes it. */
  readonly #sections = new Map<string, Set<boolean>>()

  /** Notes what came of the policies that a case asked about: one, or all. */
  add(evaluation: InspectedEvaluation, only?: string): void {
    for (const { policy, trace, said, failures } of evaluation.outcomes) {
      if (only !== undefined && policy.id !== only) continue
      const seen = this.#policies.get(policy.id) ?? new Seen()
      this.#policies.set(policy.id, seen)
      seen.addTrace(trace)
      for (const { rule, effects } of said) {
        seen.matched.add(rule.id)
        for (const code of effects.flatMap(codesOf)) seen.reasons.add(`${rule.id} ${code}`)
      }
      const ended = new Set([...said.map(({ rule }) => rule.id), ...failures.map(({ rule }) => rule?.id)])
      for (const { rule, kind } of failures)
        if (kind === 'exception' && rule !== null) seen.threw.add(rule.id)
      if (failures.some(({ rule }) => rule === null)) continue
      for (const { id } of policy.rules) {
        if (!ended.has(id)) seen.passedOver.add(id)
        else if (policy.kind === 'route') break
      }
    }
  }

  /** Notes what came of the rules of a guardrail. */
  addVerdict(evaluation: GuardrailEvaluation, rules: readonly string[]): void {
    const { id, verdict, trace, said, threw = [] } = evaluation
    const seen = this.#guardrails.get(id) ?? new Seen()
    this.#guardrails.set(id, seen)
    seen.addTrace(trace)
    for (const { rule, action } of said) {
      seen.matched.add(rule)
      for (const code of codesOf(action)) seen.reasons.add(`${rule} ${code}`)
    }
    for (const rule of threw) seen.threw.add(rule)
    if (verdict === 'error') return
    const ended = new Set([...said.map(({ rule }) => rule), ...threw])
    for (const rule of rules) if (!ended.has(rule)) seen.passedOver.add(rule)
  }

  /** Notes that a prompt was rendered, or that it refused what its variables were to hold. */
  addPrompt(name: string, outcome: 'rendered' | 'refused'): void {
    const seen = outcome === 'rendered' ? this.#prompts : this.#refused
    seen.add(name)
  }

  /** Notes whether a section of a prompt was shown. */
  addSection(section: Section, shown: boolean): void {
    const place = placeOf(section)
    const seen = this.#sections.get(place) ?? new Set()
    this.#sections.set(place, seen.add(shown))
  }

  #policy({ id, file, rules }: CompiledPolicy, declared: Declared | undefined): PolicyCoverage {
    const seen = this.#policies.get(id) ?? new Seen()
    return {
      policy: id,
      kind: 'policy',
      file,
      rules: rulesOf(rules, seen),
      ...detailsOf(rules, declared, seen),
    }
  }

  #guardrail({ id, file, rules = [] }: CompiledGuardrail, declared: Declared | undefined): PolicyCoverage {
    const seen = this.#guardrails.get(id) ?? new Seen()
    const details = detailsOf(rules, declared, seen)
    return { policy: id, kind: 'guardrail', file, rules: rulesOf(rules, seen), ...details }
  }

  /** Sections stand with the file that they are written in. */
  #prompt({ name, file, messages = [], variables = {} }: CompiledPrompt): PolicyCoverage {
    const matched = this.#prompts.has(name)
    const start = { line: 1, column: 1 }
    const rule = { rule: name, ...start, matched, passedOver: false, always: true }
    const conditions = messages.flatMap(({ parts }) =>
      parts.flatMap((part): ConditionCoverage[] => {
        if (typeof part !== 'object' || !('section' in part) || part.file !== file) return []
        const { line, column, section, inverted } = part
        const seen = this.#sections.get(placeOf(part))
        const outcomes = { seenTrue: seen?.has(true) ?? false, seenFalse: seen?.has(false) ?? false }
        const text = `{{${inverted ? '^' : '#'}${section}}}`
        return [{ rule: name, text, line, column, lifted: true, ...outcomes }]
      }),
    )
    // Without variables there is nothing to refuse.
    const onErrors =
      Object.keys(variables).length === 0 ? [] : [{ rule: null, ...start, seen: this.#refused.has(name) }]
    return { policy: name, kind: 'prompt', file, rules: [rule], conditions, reasons: [], onErrors }
  }

  /** Coverage of every policy, guardrail and prompt, in the order of the version. */
  report(compiled: CompiledWorkspace, declared: DeclaredInVersion): PolicyCoverage[] {
    return [
      ...compiled.policies.map((policy) => this.#policy(policy, declared.policies.get(policy.id))),
      ...compiled.guardrails.map((each) => this.#guardrail(each, declared.guardrails.get(each.id))),
      ...compiled.prompts.map((prompt) => this.#prompt(prompt)),
    ]
  }
}
