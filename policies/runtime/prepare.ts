import type { Effect } from '../authoring/effects.ts'
import { registry } from '../authoring/params.ts'
import { PlanEffect } from '../authoring/plan.ts'
import { Definition, Rule } from '../authoring/policy.ts'
import { UseEffect } from '../authoring/use.ts'
import { siteOf } from './sites.ts'
import { pending, reserveTrace, trace } from './trace.ts'
import type { DescribedDefinition, DescribedRule } from './wire.ts'

type Callable = (facts: object) => unknown

/** A rule as the hot path wants it. */
export interface PreparedRule {
  readonly when: Callable | undefined
  readonly then: Callable
  readonly conditions: number
  readonly fixed: boolean
  /** The effects are fixed and leave the choice to the next route. */
  readonly continues: boolean
  readonly onError: unknown
}
export interface Prepared {
  readonly id: string
  readonly index: number
  readonly rules: readonly PreparedRule[]
  /** By rule: the trace of all rules after it where they are not asked. */
  readonly idleTraces: readonly string[]
  /** An exception in a rule without an own `onError` leads to the next policy. */
  readonly onError: unknown
  readonly described: DescribedDefinition
}

/** Where a rule without facts may look: `f.models.where(…)` builds a filter and reads nothing. */
const noFacts = (models: object) => ({ models })

function optionsOf(value: object): { options: Record<string, unknown>; functions: string[] } {
  const options: Record<string, unknown> = {}
  const functions: string[] = []
  for (const [name, option] of Object.entries(value)) {
    if (typeof option === 'function') functions.push(name)
    else if (name !== 'rules') options[name] = option
  }
  return { options, functions }
}

/** What a rule said, as a list. The rollout of a variant is the policy where the author named none. */
export function effectsOf(said: unknown, policyId: string): unknown[] {
  const effects: unknown[] = Array.isArray(said) ? said : [said]
  return effects.map((effect) => {
    if (effect instanceof PlanEffect) {
      const said = effect.toJSON()
      return said.variant === undefined ? said : { ...said, variant: { rollout: policyId, ...said.variant } }
    }
    if (!(effect instanceof UseEffect) || effect.use.variant === undefined) return effect
    return { use: { ...effect.use, variant: { rollout: policyId, ...effect.use.variant } } }
  })
}

/** What `then` says where it reads nothing that changes. */
function fixedEffects(
  then: Callable,
  policyId: string,
  models: object,
): { effects: readonly unknown[] | null; broken?: string } {
  const readsBefore = registry.reads
  try {
    const said = then(noFacts(models))
    const effects: unknown[] = JSON.parse(JSON.stringify(effectsOf(said, policyId)))
    return { effects: registry.reads === readsBefore ? effects : null }
  } catch (error) {
    return registry.reads !== readsBefore ? { effects: null } : { effects: null, broken: String(error) }
  }
}

/** A condition that the compiler could not take apart is one position. */
function traced(when: Callable): Callable {
  return (facts) => {
    trace[0] = pending
    const value = when(facts)
    trace[0] = value
    return value
  }
}

function conditionsOf(when: unknown, conditions: number): { when: Callable | undefined; conditions: number } {
  if (typeof when !== 'function') return { when: undefined, conditions: 0 }
  const callable = when as Callable
  return conditions < 0 ? { when: traced(callable), conditions: 1 } : { when: callable, conditions }
}

/** A rule of an author: for the hot path, and as the compiler is told of it. */
function prepareRule(rule: unknown, policyId: string, models: object): [PreparedRule, DescribedRule] | null {
  if (!(rule instanceof Rule)) return null
  const site = siteOf(rule.options)
  const { when, conditions } = conditionsOf(rule.options.when, site?.conditions ?? -1)
  reserveTrace(conditions)
  const then: Callable = typeof rule.options.then === 'function' ? (rule.options.then as Callable) : () => []
  const { effects, broken } = site?.fixed ? fixedEffects(then, policyId, models) : { effects: null }
  const continues = effects?.some((effect) => Object(effect).continue === true) === true
  const described = { id: rule.id, site: site?.key ?? null, conditions, effects, ...optionsOf(rule.options) }
  return [
    { when, then, conditions, fixed: effects !== null, continues, onError: rule.options.onError },
    broken === undefined ? described : { ...described, broken },
  ]
}

function idleTracesOf(rules: readonly PreparedRule[]): string[] {
  const traces: string[] = []
  let after = ''
  for (const { conditions } of [...rules].reverse()) {
    traces.unshift(after)
    after = '-'.repeat(conditions) + after
  }
  return traces
}

/** The rules of a definition. A guardrail may also be one rule itself, which then has its id. */
function rulesOf({ kind, id, options }: Definition<string, { rules?: unknown }>): readonly unknown[] {
  if (Array.isArray(options.rules)) return options.rules
  return kind === 'guardrail' ? [new Rule(id, options as Rule<Effect>['options'])] : []
}

/** What a workspace file exports by default, made ready. */
export function prepare(value: unknown, index: number, file: string, models: object): Prepared {
  if (!(value instanceof Definition)) {
    const described = { file, instead: value === null ? 'null' : typeof value }
    return { id: '', index, rules: [], idleTraces: [], onError: undefined, described }
  }
  const options: { rules?: unknown; onError?: unknown } = value.options
  const prepared = rulesOf(value).map((rule) => prepareRule(rule, value.id, models))
  const rules = prepared.flatMap((each) => (each === null ? [] : [each[0]]))
  return {
    id: value.id,
    index,
    rules,
    idleTraces: idleTracesOf(rules),
    onError: options.onError,
    described: {
      file,
      kind: value.kind,
      id: value.id,
      site: siteOf(options)?.key ?? null,
      rules: prepared.map((each) => (each === null ? null : each[1])),
      ...optionsOf(options),
    },
  }
}
