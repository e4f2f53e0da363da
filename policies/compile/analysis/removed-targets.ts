import { fitsFilter } from '../../evaluation/layer-path.ts'
import { keepTargets } from '../../evaluation/plan-tree.ts'
import { type AnalysedWorkspace, inEnvironment, type PlacedFinding } from './analysed-workspace.ts'
import { type RuleFilter, ruleFilters } from './emptied-candidates.ts'
import { not } from './formula.ts'
import { firstOfEach, type RoutePlan, routePlans } from './route-plans.ts'
import { describeModel, findModel, isPossible } from './satisfy.ts'

/** Columns that say where data goes. */
const dataColumns = ['locality', 'region'] as const

function keyOf({ policy, rule }: RuleFilter): string {
  return `${policy.id}/${rule.id}`
}

function lineOf({ policy, rule }: RuleFilter): string {
  return `rule "${rule.id}" of constraint "${policy.id}" (${rule.file}:${rule.position.line})`
}

/** A plan, and what a filter takes away from it. */
interface Met {
  readonly plan: RoutePlan
  readonly filter: RuleFilter
  readonly removed: readonly string[]
  /** Nothing that can be carried out is left: of a pipeline that is so with one step gone. */
  readonly isAll: boolean
  /** Values of facts for which both hold, where it is not always so. */
  readonly example: string | undefined
}

/** What a filter does to a plan: undefined where both never hold for one call, or nothing is taken away. */
function meet(plan: RoutePlan, filter: RuleFilter): Met[] {
  const { path } = plan.environment
  const removed = plan.targets.filter((target) => !fitsFilter(path.columns(target), filter.where))
  const model = removed.length === 0 ? null : findModel([plan.when, filter.when])
  if (model === null) return []
  const kept = keepTargets(plan.plan, (target) => !removed.includes(target))
  const isAlways = !isPossible(plan.when, not(filter.when))
  return [
    { plan, filter, removed, isAll: kept === null, example: isAlways ? undefined : describeModel(model) },
  ]
}

/** Targets that a constraint takes away whenever their rule matches: told of where they are named. */
function alwaysRemoved(met: Met): PlacedFinding {
  const { plan, filter, removed } = met
  const names = [...new Set(removed)].join(', ')
  const end = met.isAll
    ? 'nothing is left and every such call is denied NO_ELIGIBLE_MODEL'
    : 'name only targets that it keeps'
  const message = `rule "${plan.rule.id}" names ${names}, which ${lineOf(filter)} always takes away${inEnvironment(plan.environment)}: ${end}`
  const code = met.isAll ? 'plan_emptied' : 'target_removed'
  return { file: plan.rule.file, position: plan.rule.thenPosition, severity: 'warning', code, message }
}

/** Plans that a filter by place leaves nothing of where both hold: told of once, where the filter stands. */
function conflictsOf(met: readonly Met[]): PlacedFinding[] {
  const filters = firstOfEach(met, ({ filter }) => keyOf(filter)).map(({ filter }) => filter)
  return filters.flatMap((filter) => {
    const mine = met.filter((each) => keyOf(each.filter) === keyOf(filter))
    const [first] = mine
    if (first === undefined || !dataColumns.some((column) => filter.where[column] !== undefined)) return []
    const rules = [...new Set(mine.map(({ plan }) => `"${plan.policy.id}/${plan.rule.id}"`))].slice(0, 5)
    const when = first.example ? ` (as where ${first.example})` : ''
    const message = `rule "${filter.rule.id}" can hold for calls${when} that ${rules.join(', ')} sends to other places only${inEnvironment(first.plan.environment)}: they are denied; name a target there that fits ${JSON.stringify(filter.where)}`
    const { file, thenPosition: position } = filter.rule
    return [{ file, position, severity: 'note', code: 'data_policy_conflict', message }]
  })
}

/** Plans whose targets a constraint of the same workspace takes away: always, or where its condition holds too. */
export function removedTargets(workspace: AnalysedWorkspace): PlacedFinding[] {
  const filters = ruleFilters(workspace)
  const met = routePlans(workspace).flatMap((plan) => filters.flatMap((filter) => meet(plan, filter)))
  const always = firstOfEach(
    met.filter(({ example }) => example === undefined),
    ({ plan, filter }) => `${plan.rule.file} ${plan.rule.idPosition.line} ${keyOf(filter)}`,
  )
  const sometimes = met.filter((each) => each.example !== undefined && each.isAll)
  return [...always.map(alwaysRemoved), ...conflictsOf(sometimes)]
}
