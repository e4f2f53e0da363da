import type { CompiledGuardrail } from '@signalbox/sdk/contract'
import { didYouMean } from '../compile/near-name.ts'
import type { InspectionInput, ScreenInput } from '../program.ts'
import { CaseError } from './case-facts.ts'
import { type CaseRun, environmentDefault } from './case-run.ts'

/** A rule that a test may make throw: what it asks, and what it always says (null where it has to be run). */
interface Breakable {
  readonly id: string
  readonly conditions: readonly unknown[]
  readonly says: readonly unknown[] | null | undefined
}

function thrownOf(thrown: true | string, rules: readonly Breakable[], kind: string): string[] {
  const ids = rules.map(({ id }) => id)
  if (thrown !== true && !ids.includes(thrown)) {
    throw new CaseError(`"throw" names the rule ${thrown}, which is not there${didYouMean(thrown, ids)}`, [
      'throw',
    ])
  }
  const able = rules.filter(({ conditions, says }) => conditions.length > 0 || says === null)
  const found = able.map(({ id }) => id).filter((id) => thrown === true || id === thrown)
  if (found.length > 0) return found
  const whose = thrown === true ? `no rule of the ${kind}` : `the rule ${thrown} never`
  throw new CaseError(`${whose} can throw: without a condition, it says what reads nothing`, ['throw'])
}

/**
 * The rules that a test makes throw: all of a policy, or the one it names, of those that can throw at all.
 * @throws CaseError where there is none.
 */
export function breaksOf(
  thrown: true | string | undefined,
  policy: string | undefined,
  run: CaseRun,
): InspectionInput['breaks'] {
  if (thrown === undefined || policy === undefined) return undefined
  const compiled = run.compiled.policies.find(({ id }) => id === policy)
  const layer = run.program(environmentDefault).policies.find(({ id }) => id === policy)
  const rules = compiled?.rules.map((rule, index) => ({ ...rule, says: layer?.rules[index]?.effects })) ?? []
  return { policy, rules: thrownOf(thrown, rules, 'policy') }
}

/** The same of a guardrail. */
export function guardrailBreaksOf(
  thrown: true | string | undefined,
  { id, rules = [] }: CompiledGuardrail,
  run: CaseRun,
): ScreenInput['breaks'] {
  if (thrown === undefined) return undefined
  const layer = run.program(environmentDefault).guardrails.find((each) => each.id === id)
  const known = rules.map((rule, index) => ({ ...rule, says: layer?.rules[index]?.says }))
  return thrownOf(thrown, known, 'guardrail')
}
