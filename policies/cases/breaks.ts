import { didYouMean } from '../compile/near-name.ts'
import type { InspectionInput } from '../program.ts'
import { CaseError } from './case-facts.ts'
import { type CaseRun, environmentDefault } from './case-run.ts'

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
  const ids = compiled?.rules.map(({ id }) => id) ?? []
  if (thrown !== true && !ids.includes(thrown)) {
    throw new CaseError(`"throw" names the rule ${thrown}, which is not there${didYouMean(thrown, ids)}`)
  }
  const able = (compiled?.rules ?? []).filter(
    (rule, index) => rule.conditions.length > 0 || layer?.rules[index]?.effects === null,
  )
  const rules = able.map(({ id }) => id).filter((id) => thrown === true || id === thrown)
  if (rules.length > 0) return { policy, rules }
  const whose = thrown === true ? 'no rule of the policy' : `the rule ${thrown} never`
  throw new CaseError(`${whose} can throw: without a condition, it says what reads nothing`)
}
