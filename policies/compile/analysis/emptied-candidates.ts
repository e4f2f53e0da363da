import type { ModelFilter } from '@signalbox/sdk/contract'
import { fitsFilter } from '../../evaluation/layer-path.ts'
import {
  type AnalysedEnvironment,
  type AnalysedPolicy,
  type AnalysedRule,
  type AnalysedWorkspace,
  inEnvironment,
  type PlacedFinding,
} from './analysed-workspace.ts'
import { and, type Formula, not } from './formula.ts'
import { describeModel, findModel, isPossible } from './satisfy.ts'

/** An `only` that a rule of a constraint always says, and when. */
export interface RuleFilter {
  readonly policy: AnalysedPolicy
  readonly rule: AnalysedRule
  readonly where: ModelFilter
  readonly when: Formula
}

/** All filters of constraints whose rule can match. */
export function ruleFilters({ policies }: AnalysedWorkspace): RuleFilter[] {
  return policies.flatMap((policy) =>
    policy.rules.flatMap((rule) => {
      const when = and([policy.asked, rule.when])
      const filters = (rule.effects ?? []).flatMap((effect) => ('only' in effect ? [effect.only.where] : []))
      return filters.length > 0 && isPossible(when)
        ? filters.map((where) => ({ policy, rule, where, when }))
        : []
    }),
  )
}

function keeps(target: string, where: ModelFilter, { path }: AnalysedEnvironment): boolean {
  return fitsFilter(path.columns(target), where)
}

/** Every target that something of the workspace names, as an environment has it. */
function targetsIn({ compiled }: AnalysedWorkspace, { names }: AnalysedEnvironment): string[] {
  return [...new Set([...Object.values(names.models).flat(), ...compiled.targets])]
}

function findingFor(
  { rule, where }: RuleFilter,
  environment: AnalysedEnvironment,
  workspace: AnalysedWorkspace,
): PlacedFinding | undefined {
  const at = { file: rule.file, position: rule.thenPosition }
  const targets = targetsIn(workspace, environment)
  const columns = JSON.stringify(where)
  if (targets.length > 0 && !targets.some((target) => keeps(target, where, environment))) {
    const message = `rule "${rule.id}" keeps no target of this workspace${inEnvironment(environment)}: none of the ${targets.length} fits ${columns}, so every call it holds for is denied; see the columns of "connections"`
    return { ...at, severity: 'warning', code: 'no_candidate_left', message }
  }
  const emptied = Object.entries(environment.names.models)
    .filter(([, each]) => !each.some((target) => keeps(target, where, environment)))
    .map(([alias]) => alias)
  if (emptied.length === 0) return undefined
  const aliases = emptied.map((alias) => `"${alias}"`).join(', ')
  const message = `rule "${rule.id}" leaves no candidate of ${aliases}${inEnvironment(environment)}: a call that asks for it is denied NO_ELIGIBLE_MODEL unless a route sends it elsewhere; add a target that fits ${columns}`
  return { ...at, severity: 'note', code: 'alias_emptied', message }
}

/** Filters that are compared with each other; more would only cost time. */
const pairedMax = 64

/** What two filters leave where both hold: nothing, though each of them keeps something. */
function findingForBoth(
  [first, second]: readonly [RuleFilter, RuleFilter],
  environment: AnalysedEnvironment,
  workspace: AnalysedWorkspace,
): PlacedFinding | undefined {
  const targets = targetsIn(workspace, environment)
  const kept = (...filters: readonly RuleFilter[]): boolean =>
    targets.some((target) => filters.every(({ where }) => keeps(target, where, environment)))
  if (!kept(first) || !kept(second) || kept(first, second)) return undefined
  const model = findModel([first.when, second.when])
  if (model === null) return undefined
  const isAlways = !isPossible(second.when, not(first.when))
  const example = isAlways ? '' : describeModel(model)
  const when = isAlways
    ? 'whenever it holds'
    : `where both hold${example === '' ? '' : ` (as where ${example})`}`
  const { policy, rule } = first
  const other = `rule "${rule.id}" of constraint "${policy.id}" (${rule.file}:${rule.position.line})`
  const message = `rule "${second.rule.id}" and ${other} together keep no target of this workspace${inEnvironment(environment)}: ${when}, the call is denied; add a target that fits both, or make their conditions exclude each other`
  const severity = isAlways ? 'warning' : 'note'
  return {
    file: second.rule.file,
    position: second.rule.thenPosition,
    severity,
    code: 'no_candidate_left',
    message,
  }
}

/** Two constraints, or rules of one, that leave no candidate where both hold. */
export function emptiedByTwo(workspace: AnalysedWorkspace): PlacedFinding[] {
  const filters = ruleFilters(workspace).slice(0, pairedMax)
  return filters.flatMap((second, index) =>
    filters.slice(0, index).flatMap((first) => {
      for (const environment of workspace.environments) {
        const finding = findingForBoth([first, second], environment, workspace)
        if (finding !== undefined) return [finding]
      }
      return []
    }),
  )
}

/** Constraints under which an alias, or all there is, has no candidate left. */
export function emptiedCandidates(workspace: AnalysedWorkspace): PlacedFinding[] {
  return ruleFilters(workspace).flatMap((filter) => {
    for (const environment of workspace.environments) {
      const finding = findingFor(filter, environment, workspace)
      if (finding !== undefined) return [finding]
    }
    return []
  })
}
