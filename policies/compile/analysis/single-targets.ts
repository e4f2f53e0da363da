import { type AnalysedWorkspace, inEnvironment, type PlacedFinding } from './analysed-workspace.ts'
import { firstOfEach, routePlans } from './route-plans.ts'

/** Rules whose plan has one target, so that a call fails with it. */
export function singleTargets(workspace: AnalysedWorkspace): PlacedFinding[] {
  const single = routePlans(workspace).filter(({ targets }) => new Set(targets).size === 1)
  const once = firstOfEach(
    single,
    ({ rule, targets }) => `${rule.file} ${rule.idPosition.line} ${targets[0]}`,
  )
  return once.map(({ rule, targets, environment }) => {
    const message = `rule "${rule.id}" has no fallback${inEnvironment(environment)}: a call that ${targets[0]} does not answer fails; name another target after it, with .fallback(…) or in the alias`
    return { file: rule.file, position: rule.thenPosition, severity: 'note', code: 'no_fallback', message }
  })
}
