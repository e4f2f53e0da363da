import type { Prepared, PreparedRule } from './prepare.ts'
import { pending, trace } from './trace.ts'
import type { EvaluateQuestion } from './wire.ts'

function broken(rule: PreparedRule): PreparedRule {
  const when = (): never => {
    if (rule.conditions > 0) trace[0] = pending
    throw new Error('a case makes this rule throw')
  }
  return { ...rule, when }
}

/** The policy, or guardrail, as if the rules that the question names threw. */
export function withBrokenRules(policy: Prepared, asked: EvaluateQuestion['t']): Prepared {
  if (asked === undefined || asked[0] !== policy.index) return policy
  const rules = policy.rules.map((rule, index) => (asked[1].includes(index) ? broken(rule) : rule))
  return { ...policy, rules }
}
