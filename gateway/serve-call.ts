import { servePipeline } from './attempts/pipeline.ts'
import { tryRace } from './attempts/race.ts'
import { attemptsMax, type TryLimits, tryTarget } from './attempts/try-target.ts'
import { settleFirst } from './batches/caller-looks.ts'
import type { Incoming } from './incoming.ts'
import type { GatewayParts } from './parts.ts'
import { passOn } from './pass-on.ts'
import { type PlannedTarget, refusalOfEmpty } from './steps/select.ts'
import type { Trail } from './trail.ts'
import type { AttemptFailure } from './upstream/judge-failure.ts'
import { type AllowedCall, checkWanted, type Way } from './way.ts'

/**
 * Tries the selected targets in order until one answers, and relays its answer. The next one is tried only while
 * nothing has reached the caller, and once alone where the body is passed on while it comes.
 * @throws Refusal where none answers and no provider's own error can be passed on.
 */
export async function serveCall(
  allowed: AllowedCall,
  incoming: Incoming,
  trail: Trail,
  parts: GatewayParts,
): Promise<void> {
  const { timeoutMs } = allowed.options
  const deadlineMs = timeoutMs === undefined ? Number.POSITIVE_INFINITY : trail.startMs + timeoutMs
  const drilled = drilledTargets(allowed)
  const way: Way = { allowed, incoming, trail, parts, deadlineMs, ...(drilled !== undefined && { drilled }) }
  const settled = settleFirst(allowed.call, parts)
  if (settled !== undefined) await settled
  const failure = await tryPlan(way)
  if (failure === undefined) return
  checkWanted(way)
  passOn(failure, way)
}

/** The first targets of the selection, as many as the caller's drill wants to fail. */
function drilledTargets({ options, selected }: AllowedCall): ReadonlySet<string> | undefined {
  if (options.drill === undefined) return undefined
  const names = [...new Set(selected.order.map(({ node }) => node.target))]
  return new Set(names.slice(0, options.drill.targets))
}

/** What the decision says of a class of failures is done once for each class, and in place of what is left. */
async function tryPlan(way: Way): Promise<AttemptFailure | undefined> {
  const { selected, decision, again } = way.allowed
  const { onErrorClass } = decision
  let failure = await tryOrder(selected.order, way, 'fallback')
  if (onErrorClass === undefined) return failure
  const done = new Set<string>()
  while (failure !== undefined && way.trail.attempts.length < attemptsMax) {
    const { errorClass } = failure
    const plan = errorClass === undefined || errorClass === 'invalid' ? undefined : onErrorClass[errorClass]
    if (plan === undefined || errorClass === undefined || done.has(errorClass)) break
    done.add(errorClass)
    const { order } = again(plan)
    if (order.length === 0) break
    failure = await tryOrder(order, way, 'onErrorClass')
  }
  return failure
}

/** The legs of a race that stand one after the other. */
function raceAt(order: readonly PlannedTarget[], at: number): readonly PlannedTarget[] {
  const race = order[at]?.race
  if (race === undefined) return []
  let end = at + 1
  while (order[end]?.race?.id === race.id) end++
  return order.slice(at, end)
}

async function tryOrder(
  order: readonly PlannedTarget[],
  way: Way,
  cause: TryLimits['cause'],
): Promise<AttemptFailure | undefined> {
  const { call, decision, selected } = way.allowed
  const isOnce = call.native?.upload !== undefined
  let failure: AttemptFailure | undefined
  if (order.length === 0) throw refusalOfEmpty(selected)
  for (let at = 0; at < order.length; at++) {
    const planned = order[at]
    if (planned === undefined || way.trail.attempts.length >= (isOnce ? 1 : attemptsMax)) break
    checkWanted(way)
    const why = at === 0 ? cause : 'fallback'
    // Of a race that begins jobs every leg would leave one behind, which works on though nobody has its id.
    const legs = isOnce || call.native?.job !== undefined ? [] : raceAt(order, at)
    if (planned.steps !== undefined) {
      failure = await servePipeline(planned.steps, way, (steps, own) => tryOrder(steps, own, 'step'))
    } else if (legs.length > 1) failure = await tryRace(legs, way, why)
    else failure = await tryTarget(planned, way, { cause: why, isOnce, isLast: at === order.length - 1 })
    if (failure === undefined || !failure.fallback) return failure
    const { errorClass } = failure
    if (errorClass !== undefined && errorClass !== 'invalid' && decision.onErrorClass?.[errorClass])
      return failure
    at += Math.max(0, legs.length - 1)
  }
  return failure
}
