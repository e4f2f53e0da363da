import type {
  CompiledPolicy,
  ExplainedCondition,
  ExplainedPolicy,
  ExplainedRule,
  Expression,
  PolicyResult,
} from '@signalbox/sdk/contract'
import type { PolicyOutcome } from '../evaluation/outcomes.ts'
import type { ParamValue } from '../program.ts'
import { expressionText } from './condition-text.ts'
import { effectText } from './effect-text.ts'
import { type KnownFacts, valuesAt } from './fact-values.ts'
import type { ConstraintEffects } from './narrowing.ts'
import { valueText } from './value-text.ts'

type Condition = CompiledPolicy['rules'][number]['conditions'][number]

const outcomeOfMark: Readonly<Record<string, ExplainedCondition['outcome']>> = {
  '-': 'notEvaluated',
  '0': 'false',
  '1': 'true',
  '!': 'threw',
}

/** What is known of one policy of a call. */
export interface KnownPolicy {
  readonly result: PolicyResult
  /** Missing where its version is not here. */
  readonly compiled: CompiledPolicy | undefined
  /** What it said, where the decision could be computed again and is the same. */
  readonly said: PolicyOutcome | undefined
  readonly effects: ConstraintEffects | undefined
  readonly facts: KnownFacts
  readonly params: Readonly<Record<string, ParamValue>>
}

/** A condition with its values in place, or after it where it is code. */
function shownText(
  condition: Condition,
  values: Readonly<Record<string, unknown>>,
  known: KnownPolicy,
): string {
  const { facts } = known.facts
  // Authors write conditions over several lines.
  const text = condition.text.replaceAll(/\s+/g, ' ')
  if (condition.expression !== undefined && facts !== undefined) {
    const masked = [...known.facts.masked, ...facts.truncated]
    // Written by the compiler from an expression that it checked.
    return expressionText(condition.expression as Expression, { facts, params: known.params, masked })
  }
  const tail = Object.entries(values).map(([path, value]) =>
    value === '‹masked›' ? `${path} ${value}` : `${path} ${valueText(value)}`,
  )
  return tail.length === 0 ? text : `${text} (${tail.join(', ')})`
}

function explainCondition(condition: Condition, mark: string, known: KnownPolicy): ExplainedCondition {
  const { values, masked } = valuesAt(condition.reads, known.facts)
  const outcome = masked.length > 0 ? 'unknown' : (outcomeOfMark[mark] ?? 'notEvaluated')
  return { text: condition.text, shown: shownText(condition, values, known), outcome, values, masked }
}

/** How far down its rules a policy was asked, and what is known of each. */
function ruleOutcome(index: number, compiled: CompiledPolicy, known: KnownPolicy): ExplainedRule['outcome'] {
  const { result, said } = known
  const { id } = compiled.rules[index] ?? { id: '' }
  if (result.outcome === 'notApplicable' || result.outcome === 'notReached') return 'notAsked'
  if (
    said?.failures.some(({ rule }) => rule?.id === id) ||
    (result.outcome === 'failed' && result.rule === id)
  )
    return 'failed'
  if (said?.said.some(({ rule }) => rule.id === id) || result.rule === id) return 'matched'
  if (said?.failures.some(({ rule }) => rule === null)) return 'unknown'
  const decisive = compiled.rules.findIndex((rule) => rule.id === result.rule)
  if (result.kind === 'route') return decisive !== -1 && index > decisive ? 'notAsked' : 'notMatched'
  return said !== undefined || result.outcome === 'noEffect' ? 'notMatched' : 'unknown'
}

function explainRules(compiled: CompiledPolicy, known: KnownPolicy): ExplainedRule[] {
  let position = 0
  return compiled.rules.map((rule, index) => {
    const said = known.said?.said.find((each) => each.rule.id === rule.id)
    return {
      id: rule.id,
      line: rule.line,
      outcome: ruleOutcome(index, compiled, known),
      conditions: rule.conditions.map((condition) =>
        explainCondition(condition, known.result.trace.charAt(position++), known),
      ),
      effects: said?.effects.map(effectText) ?? [],
    }
  })
}

/** One policy with its rules, their conditions and what it took from the call. */
export function explainPolicy(known: KnownPolicy): ExplainedPolicy {
  const { result, compiled, effects } = known
  return {
    ...result,
    file: compiled?.file ?? null,
    rules: compiled === undefined ? [] : explainRules(compiled, known),
    narrowing: effects?.narrowing ?? null,
    guardrails: [...(effects?.guardrails ?? [])],
    caps: effects?.caps ?? {},
  }
}
