import type { Position } from '../text-position.ts'
import type { AnalysedWorkspace } from './analysed-workspace.ts'

/** A condition that is code and no data. */
export interface OpaqueCondition {
  readonly file: string
  readonly position: Position
  readonly rule: string
  readonly text: string
  readonly why: string
}
/** How many conditions the compiler could read as data, and which it could not. */
export interface LiftedShare {
  readonly conditions: number
  readonly lifted: number
  readonly opaque: readonly OpaqueCondition[]
}

/** Conditions of policies and guardrails by whether they can be analysed. */
export function liftedShare({ policies, guardrails }: AnalysedWorkspace): LiftedShare {
  const rules = policies.flatMap((policy) =>
    policy.rules.map((rule) => ({ ...rule, id: `${policy.id}/${rule.id}` })),
  )
  const asked = [...rules, ...guardrails.flatMap((guardrail) => guardrail.rules)]
  const atoms = asked.flatMap(({ atoms: own, file, id, whenPosition }) =>
    own.map((atom) => ({ ...atom, file, rule: id, position: atom.position ?? whenPosition })),
  )
  const opaque = atoms
    .filter(({ expression }) => expression === null)
    .map(({ file, position, rule, text, opaque: why = 'its options are not written in place' }) => ({
      file,
      position,
      rule,
      text,
      why,
    }))
  return { conditions: atoms.length, lifted: atoms.length - opaque.length, opaque }
}
