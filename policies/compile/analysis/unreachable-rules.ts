import { fitsGlob } from '../../evaluation/matches.ts'
import type { AnalysedPolicy, AnalysedRule, AnalysedWorkspace, PlacedFinding } from './analysed-workspace.ts'
import { and, type Formula, literalsOf, not } from './formula.ts'
import { isPossible } from './satisfy.ts'

/** Earlier rules that are looked at together; more would only cost time. */
const togetherMax = 16
/** First rules of a route that are looked at for whether they leave any call at all. */
const exhaustedMax = 32

/** Whether the effects of a rule choose, or deny; what is not known may leave the choice to the next route. */
export function decides({ effects }: AnalysedRule): boolean {
  return effects !== null && effects.length > 0 && effects.every((effect) => !('continue' in effect))
}

function placed(rule: AnalysedRule, code: string, message: string): PlacedFinding {
  return { file: rule.file, position: rule.idPosition, severity: 'warning', code, message }
}

/** A rule, and what its condition speaks of. */
interface Asked {
  readonly rule: AnalysedRule
  readonly variables: ReadonlySet<string>
}

function share(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return [...one].some((variable) => other.has(variable))
}

/** Why a rule of a route never matches where the earlier ones are asked first and none of them matches always. */
function shadowOf(
  { rule, variables }: Asked,
  before: readonly Asked[],
  asked: Formula,
): PlacedFinding | undefined {
  const own = and([asked, rule.when])
  // A rule about something else takes nothing from this one.
  const near = before.filter((each) => share(each.variables, variables)).map((each) => each.rule)
  // That it is never true is told where its condition stands.
  if (near.length === 0 || !isPossible(own)) return undefined
  const shadow = near.find((each) => !isPossible(own, not(each.when)))
  if (shadow !== undefined) {
    const message = `rule "${rule.id}" never matches: every call that fits it fits "${shadow.id}" before it (line ${shadow.position.line}); put the narrower rule first`
    return placed(rule, 'shadowed_rule', message)
  }
  const last = near.slice(-togetherMax)
  if (last.length < 2 || isPossible(own, ...last.map((each) => not(each.when)))) return undefined
  const names = last.map(({ id }) => `"${id}"`).slice(-4)
  const message = `rule "${rule.id}" is never reached: the rules before it (${names.join(', ')}) leave no call for it`
  return placed(rule, 'unreachable_rule', message)
}

/** The first rule after which no call is left: by itself, or together with those before it. */
function lastReached({ rules, asked }: AnalysedPolicy): { index: number; alone: boolean } | undefined {
  for (const [index, rule] of rules.entries()) {
    if (!isPossible(asked, not(rule.when))) return { index, alone: true }
    const together = index < exhaustedMax ? rules.slice(0, index + 1) : []
    if (together.length > 1 && !isPossible(asked, ...together.map((each) => not(each.when)))) {
      return { index, alone: false }
    }
  }
  return undefined
}

function unreachableIn(policy: AnalysedPolicy): PlacedFinding[] {
  const { rules, asked } = policy
  const last = lastReached(policy)
  const end = last === undefined ? rules.length : last.index + 1
  const open = rules.slice(0, end).map((rule): Asked => {
    const variables = literalsOf(and([asked, rule.when])).map(({ variable }) => variable)
    return { rule, variables: new Set(variables) }
  })
  const shadowed = open.flatMap((each, index) => shadowOf(each, open.slice(0, index), asked) ?? [])
  const rest = rules.slice(end).map((rule) => {
    const { id, position } = rules[end - 1] ?? rule
    const why = last?.alone
      ? `"${id}" before it (line ${position.line}) matches every call; move it up, or take it out`
      : `the rules up to "${id}" (line ${position.line}) leave no call for it`
    return placed(rule, 'unreachable_rule', `rule "${rule.id}" is never reached: ${why}`)
  })
  return [...shadowed, ...rest]
}

function covers(one: AnalysedPolicy['match'], other: AnalysedPolicy['match']): boolean {
  const isOperation = one?.operation === undefined || one.operation === other?.operation
  const isRoute = one?.route === undefined || (other?.route !== undefined && fitsGlob(other.route, one.route))
  const node = one?.node?.replace(/^\/+|\/+$/g, '') ?? ''
  const below = other?.node?.replace(/^\/+|\/+$/g, '') ?? ''
  return isOperation && isRoute && (node === '' || `${below}/`.startsWith(`${node}/`))
}

/** Whether a route chooses for every call that it is asked about, whatever is thrown in it. */
function alwaysDecides({ rules, asked, onError }: AnalysedPolicy): boolean {
  if (!rules.every(decides) || rules.some((rule) => (rule.onError ?? onError) === 'continue')) return false
  return !isPossible(asked, ...rules.map((rule) => not(rule.when)))
}

function unreachableRoutes(routes: readonly AnalysedPolicy[]): PlacedFinding[] {
  return routes.flatMap((route, index) => {
    const before = routes
      .slice(0, index)
      .find((each) => covers(each.match, route.match) && alwaysDecides(each))
    if (before === undefined) return []
    const message = `route "${route.id}" is never asked: "${before.id}" (${before.file}) is asked first, by the order of paths, and decides every call that this one matches`
    return [
      {
        file: route.file,
        position: route.idPosition,
        severity: 'warning',
        code: 'unreachable_route',
        message,
      },
    ]
  })
}

/**
 * Rules of a route that can never match because of those before them, and routes that are never asked. Rules of a
 * constraint are all asked.
 */
export function unreachableRules({ policies }: AnalysedWorkspace): PlacedFinding[] {
  const routes = policies.filter(({ kind }) => kind === 'route')
  return [...routes.flatMap(unreachableIn), ...unreachableRoutes(routes)]
}
