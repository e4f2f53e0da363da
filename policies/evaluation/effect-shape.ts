import {
  Effect,
  executableStrategies,
  PlanNodeDefinition,
  type PolicyKind,
  planDepthMax,
} from '@signalbox/sdk/contract'
import { compileSchema } from '@signalbox/sdk/node'
import type { TSchema } from 'typebox'

/** What is wrong with an effect, and where in it. */
export interface EffectFinding {
  readonly code: string
  readonly message: string
  readonly path: readonly (string | number)[]
  readonly part: 'key' | 'value'
}
/** Checks a value against a schema; the compiler's says more than the evaluation's needs to. */
export type SchemaCheck = (schema: TSchema, value: unknown) => readonly EffectFinding[]

export const effectNames = ['deny', 'only', 'requireGuard', 'cap', 'use', 'plan', 'continue'] as const
export type EffectName = (typeof effectNames)[number]
/** A constraint may only narrow; a route chooses. */
export const effectsOfKind: Readonly<Record<PolicyKind, readonly EffectName[]>> = {
  constraint: ['deny', 'only', 'requireGuard', 'cap'],
  route: ['use', 'plan', 'deny', 'continue'],
}

interface ObjectSchema {
  readonly properties: Readonly<Record<string, TSchema>>
}
/** The schema of each effect, by its name: the one member of each alternative in the contract. */
const effectSchemas = new Map<string, TSchema>(
  Effect.anyOf.map((schema: TSchema) => [Object.keys((schema as ObjectSchema).properties)[0] ?? '', schema]),
)

/** Alternatives of a plan node without what stands below: children are checked one by one. */
const [targetSchema, strategySchema, pipelineSchema] = shallowPlanSchemas()

function shallowPlanSchemas(): [TSchema, TSchema, TSchema] {
  const [target, strategy, pipeline] = JSON.parse(JSON.stringify(PlanNodeDefinition.anyOf))
  // An alias may stand where the finished plan has its targets.
  target.properties.target = { type: 'string', minLength: 1, maxLength: 256 }
  strategy.properties.of.items = {}
  pipeline.properties.pipeline.items.properties.node = {}
  return [target, strategy, pipeline]
}

const fitsOnly: SchemaCheck = (schema, value) =>
  compileSchema(schema)(value)
    ? []
    : [{ code: 'schema', message: 'does not fit the schema', path: [], part: 'value' }]

function within(path: readonly (string | number)[], findings: readonly EffectFinding[]): EffectFinding[] {
  return findings.map((finding) => ({ ...finding, path: [...path, ...finding.path] }))
}

/** Checks a plan tree: shape, depth, and that this release can carry it out. */
function checkPlan(node: unknown, check: SchemaCheck, depth = 1): readonly EffectFinding[] {
  const at = (message: string, code: string, path: readonly string[] = []): EffectFinding[] => [
    { code, message, path, part: 'value' },
  ]
  if (typeof node !== 'object' || node === null) return at('a plan is an object', 'schema')
  if (depth > planDepthMax) return at(`a plan is at most ${planDepthMax} deep`, 'plan_depth')
  if ('pipeline' in node) {
    const findings = check(pipelineSchema, node)
    return findings.length > 0
      ? findings
      : at('a pipeline has no engine in this release', 'unsupported_strategy', ['pipeline'])
  }
  if (!('strategy' in node)) return check(targetSchema, node)
  const findings = check(strategySchema, node)
  if (findings.length > 0) return findings
  const { strategy, of } = node as { strategy: string; of: unknown[] }
  if (!executableStrategies.some((each) => each === strategy)) {
    const known = executableStrategies.map((each) => `"${each}"`).join(', ')
    const message = `the strategy "${strategy}" has no engine in this release; there is ${known}`
    return at(message, 'unsupported_strategy', ['strategy'])
  }
  return of.flatMap((child, index) => within(['of', index], checkPlan(child, check, depth + 1)))
}

/** The effect an author meant: the first known member. */
export function effectName(effect: object): EffectName | undefined {
  return effectNames.find((name) => Object.hasOwn(effect, name))
}

function checkEffect(effect: unknown, kind: PolicyKind, check: SchemaCheck): readonly EffectFinding[] {
  if (typeof effect !== 'object' || effect === null || Array.isArray(effect)) {
    return [{ code: 'effect', message: 'an effect is an object, as { "deny": … }', path: [], part: 'value' }]
  }
  const name = effectName(effect)
  const schema = name === undefined ? undefined : effectSchemas.get(name)
  if (name === undefined || schema === undefined) {
    const [written] = Object.keys(effect)
    const message =
      written === undefined ? 'an effect is missing: it is empty' : `unknown effect "${written}"`
    const path = written === undefined ? [] : [written]
    return [{ code: 'unknown_effect', message, path, part: written === undefined ? 'value' : 'key' }]
  }
  if (!effectsOfKind[kind].includes(name)) {
    const may = effectsOfKind[kind].join(', ')
    const why = kind === 'constraint' ? 'it may only narrow' : 'it may only choose'
    const message = `a ${kind} cannot say "${name}": ${why} (${may})`
    return [{ code: 'effect_of_kind', message, path: [name], part: 'key' }]
  }
  if (name !== 'plan') return check(schema, effect)
  const { plan, ...others } = effect as { plan: unknown }
  const [unknown] = Object.keys(others)
  const extra: EffectFinding[] =
    unknown === undefined
      ? []
      : [{ code: 'unknown_member', message: `unknown member "${unknown}"`, path: [unknown], part: 'key' }]
  return [...extra, ...within(['plan'], checkPlan(plan, check))]
}

/**
 * All that is wrong with the effects of a rule, empty where they are good. Paths begin with the index of the effect.
 * A route says one thing; a constraint may say several, or nothing.
 */
export function checkEffects(
  effects: readonly unknown[],
  kind: PolicyKind,
  check: SchemaCheck = fitsOnly,
): EffectFinding[] {
  if (kind === 'route' && effects.length !== 1) {
    const message = `a rule of a route has one effect, here are ${effects.length}`
    return [{ code: 'effect', message, path: effects.length === 0 ? [] : [1], part: 'value' }]
  }
  return effects.flatMap((effect, index) => within([index], checkEffect(effect, kind, check)))
}
