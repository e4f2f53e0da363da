import { Effect, executableFeatures, type PolicyKind } from '@signalbox/sdk/contract'
import { compileSchema } from '@signalbox/sdk/node'
import type { TSchema } from 'typebox'
import { type EffectChecks, type EffectFinding, type SchemaCheck, within } from './effect-finding.ts'
import { checkBeside, checkPlan, withoutPlans } from './plan-shape.ts'

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
  Effect.anyOf.map((schema: TSchema) => {
    const name = Object.keys((schema as ObjectSchema).properties)[0] ?? ''
    return [name, withoutPlans(schema, name)]
  }),
)

export const fitsOnly: SchemaCheck = (schema, value) =>
  compileSchema(schema)(value)
    ? []
    : [{ code: 'schema', message: 'does not fit the schema', path: [], part: 'value' }]

/** The effect an author meant: the first known member. */
export function effectName(effect: object): EffectName | undefined {
  return effectNames.find((name) => Object.hasOwn(effect, name))
}

function checkEffect(effect: unknown, kind: PolicyKind, checks: EffectChecks): readonly EffectFinding[] {
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
  const findings = checks.check(schema, effect)
  if (findings.length > 0 || (name !== 'use' && name !== 'plan')) return findings
  // The shape was just checked: an object under `use`, whatever under `plan`.
  const written = effect as { use?: object; plan?: unknown }
  if (written.use !== undefined) return within(['use'], checkBeside(written.use, checks))
  return [...within(['plan'], checkPlan(written.plan, checks)), ...checkBeside(written, checks)]
}

/**
 * All that is wrong with the effects of a rule, empty where they are good. Paths begin with the index of the effect.
 * A route says one thing; a constraint may say several, or nothing.
 */
export function checkEffects(
  effects: readonly unknown[],
  kind: PolicyKind,
  { check = fitsOnly, features = executableFeatures }: Partial<EffectChecks> = {},
): EffectFinding[] {
  if (kind === 'route' && effects.length !== 1) {
    const message = `a rule of a route has one effect, here are ${effects.length}`
    return [{ code: 'effect', message, path: effects.length === 0 ? [] : [1], part: 'value' }]
  }
  return effects.flatMap((effect, index) => within([index], checkEffect(effect, kind, { check, features })))
}
