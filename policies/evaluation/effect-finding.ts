import type { PlanFeature } from '@signalbox/sdk/contract'
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

/** How effects are checked: how much is said, and what can be carried out. */
export interface EffectChecks {
  readonly check: SchemaCheck
  readonly features: readonly PlanFeature[]
}

/** Findings about a part of something, told of the whole. */
export function within(
  path: readonly (string | number)[],
  findings: readonly EffectFinding[],
): EffectFinding[] {
  return findings.map((finding) => ({ ...finding, path: [...path, ...finding.path] }))
}
