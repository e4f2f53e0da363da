import { targetsOf } from '../../evaluation/plan-tree.ts'
import { type AnalysedWorkspace, inEnvironment, type PlacedFinding } from './analysed-workspace.ts'
import { firstOfEach, type RoutePlan, routePlans } from './route-plans.ts'

/** Steps of a pipeline that end the call where their one target does not answer. */
function lonelySteps(plans: readonly RoutePlan[]): PlacedFinding[] {
  const found = plans.flatMap(({ plan, rule, environment }) => {
    if (!('pipeline' in plan)) return []
    return plan.pipeline.flatMap(({ id, node, onFailure = 'fail' }) => {
      const [target, other] = new Set(targetsOf(node))
      if (target === undefined || other !== undefined || onFailure !== 'fail') return []
      return [{ rule, environment, id, target }]
    })
  })
  return firstOfEach(
    found,
    ({ rule, id, target }) => `${rule.file} ${rule.idPosition.line} ${id} ${target}`,
  ).map(({ rule, environment, id, target }) => {
    const message = `step "${id}" of rule "${rule.id}" has no fallback${inEnvironment(environment)}: a call that ${target} does not answer fails; name another target in the step, or say its onFailure`
    return { file: rule.file, position: rule.thenPosition, severity: 'note', code: 'no_fallback', message }
  })
}

/** Rules whose plan has one target, so that a call fails with it. */
export function singleTargets(workspace: AnalysedWorkspace): PlacedFinding[] {
  const plans = routePlans(workspace)
  const single = plans.filter(({ targets }) => new Set(targets).size === 1)
  const once = firstOfEach(
    single,
    ({ rule, targets }) => `${rule.file} ${rule.idPosition.line} ${targets[0]}`,
  )
  const whole = once.map(({ rule, targets, environment }) => {
    const message = `rule "${rule.id}" has no fallback${inEnvironment(environment)}: a call that ${targets[0]} does not answer fails; name another target after it, with .fallback(…) or in the alias`
    return {
      file: rule.file,
      position: rule.thenPosition,
      severity: 'note',
      code: 'no_fallback',
      message,
    } as const
  })
  const told = new Set(once.map(({ rule }) => rule))
  return [...whole, ...lonelySteps(plans.filter(({ rule }) => !told.has(rule)))]
}
