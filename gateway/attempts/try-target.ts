import type { Attempt } from '@signalbox/sdk/contract'
import type { PlannedTarget } from '../steps/select.ts'
import { serving } from '../targets.ts'
import type { AttemptFailure } from '../upstream/judge-failure.ts'
import { checkWanted, type Way } from '../way.ts'
import { isFailure, openTry, relayTry, type TryInput } from './open-try.ts'
import { pauseFor, retryWaitMs } from './retry.ts'

/** More attempts than this only spend the caller's time. */
export const attemptsMax = 16

/** What a target may cost of a call's attempts. */
export interface TryLimits {
  readonly cause: Attempt['cause']
  /** Nothing else is left after it. */
  readonly isLast: boolean
  /** The body is passed on while it comes, so that it can be sent once alone. */
  readonly isOnce: boolean
}

/** Tries a target, and again where the plan says so and it may help. */
export async function tryTarget(
  planned: PlannedTarget,
  way: Way,
  limits: TryLimits,
): Promise<AttemptFailure | undefined> {
  const retries = limits.isOnce ? 0 : (planned.node.retries ?? 0)
  let failure = await tryKeys(planned, way, limits)
  for (let retry = 0; failure !== undefined && retry < retries; retry++) {
    if (way.trail.attempts.length >= attemptsMax) return failure
    const random = way.parts.random() / 2 ** 32
    const waitMs = retryWaitMs(failure, { retry, random, isLast: limits.isLast })
    if (waitMs === undefined || way.parts.clock() + waitMs >= way.deadlineMs) return failure
    await pauseFor(waitMs, way.incoming.writer)
    checkWanted(way)
    failure = await tryKeys(planned, way, { ...limits, cause: 'retry' })
  }
  return failure
}

/**
 * Tries a target with one key of its connection after the other, as long as a key is refused or rate limited and
 * another one is not.
 */
async function tryKeys(
  planned: PlannedTarget,
  way: Way,
  { cause, isOnce }: TryLimits,
): Promise<AttemptFailure | undefined> {
  const { keyPools, clock } = way.parts
  const spoken = serving(planned.target, way.allowed.call)
  const { connection } = spoken
  const { name, pool = [] } = connection
  for (let tries = 1; ; tries++) {
    const credential = keyPools.pick(name, pool, clock()) ?? connection.credential
    const target = pool.length < 2 ? spoken : { ...spoken, connection: { ...connection, credential } }
    const failure = await tryOnce({ planned, target, cause: tries === 1 ? cause : 'retry' }, way)
    if (failure === undefined) {
      keyPools.good(name, pool, credential)
      return undefined
    }
    const { status = 0, drill } = way.trail.attempts.at(-1) ?? {}
    const { retryAfterS } = failure.refusal
    if (credential === undefined || isOnce || drill !== undefined || tries > pool.length) return failure
    if (!keyPools.note(name, pool, { credential, status, retryAfterS }, clock())) return failure
    checkWanted(way)
  }
}

async function tryOnce(input: TryInput, way: Way): Promise<AttemptFailure | undefined> {
  const opening = openTry(input, way)
  const opened = opening instanceof Promise ? await opening : opening
  return isFailure(opened) ? opened : await relayTry(opened, way)
}
