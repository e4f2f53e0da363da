import type { AnalysedPolicy, AnalysedRule, AnalysedWorkspace, PlacedFinding } from './analysed-workspace.ts'
import { isOpaque, literalsOf, not } from './formula.ts'
import { describeModel, findModel } from './satisfy.ts'

/** Calls that no rule of a route matches. Says nothing where some condition is code: it may be what covers them. */
function missingDefault({ id, file, idPosition, rules, asked }: AnalysedPolicy): PlacedFinding[] {
  if (rules.some((rule) => literalsOf(rule.when).some(isOpaque))) return []
  const model = findModel([asked, ...rules.map((rule) => not(rule.when))])
  if (model === null) return []
  const example = describeModel(model)
  const when = example === '' ? '' : `, as where ${example}`
  const message = `route "${id}" has no rule for every call${when}: such a call goes to the next route, and without one to the model it asked for; end with a rule without "when" (continueRoute() says the same in words)`
  return [{ file, position: idPosition, severity: 'note', code: 'no_default', message }]
}

/** Code can throw; conditions and effects that are data cannot. */
function canThrow(rule: AnalysedRule): boolean {
  return rule.effects === null || rule.atoms.some(({ expression }) => expression === null)
}

function missingSafeRoute({
  id,
  file,
  idPosition,
  rules,
  onError,
  safeRoute,
}: AnalysedPolicy): PlacedFinding[] {
  const isLeftOpen = (rule: AnalysedRule): boolean => (rule.onError ?? onError) === undefined
  const broken = rules.find((rule) => canThrow(rule) && isLeftOpen(rule))
  if (safeRoute !== undefined || broken === undefined) return []
  const message = `rule "${broken.id}" of route "${id}" is code that can throw, and there is no safe route: such a call fails with 503; give the policy or signalbox.yaml a "safeRoute", or the rule an "onError"`
  return [{ file, position: idPosition, severity: 'note', code: 'no_safe_route', message }]
}

/** Routes that can end without a decision: no rule for some calls, or nowhere to go where a rule breaks. */
export function undecidedRoutes({ policies }: AnalysedWorkspace): PlacedFinding[] {
  const routes = policies.filter(({ kind }) => kind === 'route')
  return routes.flatMap((route) => [...missingDefault(route), ...missingSafeRoute(route)])
}
