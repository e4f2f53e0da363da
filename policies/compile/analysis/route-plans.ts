import type { PlanNode } from '@signalbox/sdk/contract'
import { targetsOf } from '../../evaluation/plan-tree.ts'
import type {
  AnalysedEnvironment,
  AnalysedPolicy,
  AnalysedRule,
  AnalysedWorkspace,
} from './analysed-workspace.ts'
import { and, type Formula, not } from './formula.ts'

/** A plan that a rule of a route always says, as it is in an environment. */
export interface RoutePlan {
  readonly policy: AnalysedPolicy
  readonly rule: AnalysedRule
  readonly environment: AnalysedEnvironment
  readonly plan: PlanNode
  readonly targets: readonly string[]
  /** Calls that come to it: the policy is asked, no earlier rule matched, this one does. */
  readonly when: Formula
}

/** Earlier rules whose conditions are put in; more would only cost time. */
const earlierMax = 8

/** All plans that are data, in every environment. */
export function routePlans({ policies, environments }: AnalysedWorkspace): RoutePlan[] {
  const routes = policies.filter(({ kind }) => kind === 'route')
  return routes.flatMap((policy) =>
    policy.rules.flatMap((rule, index) => {
      const [effect] = rule.effects ?? []
      if (effect === undefined) return []
      const earlier = policy.rules.slice(Math.max(0, index - earlierMax), index)
      const when = and([policy.asked, rule.when, ...earlier.map((each) => not(each.when))])
      return environments.flatMap((environment) => {
        const plan = environment.path.plan(effect, environment.names)
        return plan === null ? [] : [{ policy, rule, environment, plan, targets: targetsOf(plan), when }]
      })
    }),
  )
}

/** The first of those that say the same of the same rule: an environment that changes nothing is not told of. */
export function firstOfEach<Item>(items: readonly Item[], key: (item: Item) => string): Item[] {
  const seen = new Set<string>()
  return items.filter((item) => {
    const name = key(item)
    if (seen.has(name)) return false
    seen.add(name)
    return true
  })
}
