import type { Attempt } from '@signalbox/sdk/contract'
import { Refusal } from '@signalbox/sdk/contract'
import { applyPrompt } from '../apply-prompt.ts'
import { noteLook } from '../batches/caller-looks.ts'
import { credentialOf } from '../credentials/credential-of.ts'
import { injectFault } from '../drills/inject-fault.ts'
import { noteLimits } from '../health/note-limits.ts'
import { outcomeOf } from '../health/outcome-of.ts'
import type { TargetHealth } from '../health/target-health.ts'
import { relayAnswer } from '../relay-answer.ts'
import { type OpenAttempt, openAttempt } from '../steps/attempt.ts'
import type { PlannedTarget } from '../steps/select.ts'
import type { Target } from '../targets.ts'
import { type AttemptTrail, beginAttempt } from '../trail.ts'
import type { AttemptFailure } from '../upstream/judge-failure.ts'
import { accountOf, endAttempt, noteExchange, type Way, watchCaller } from '../way.ts'
import { watchSpeed } from './stream-speed.ts'

/** An attempt that has gone out. */
export interface OpenTry {
  readonly open: OpenAttempt
  /** Paths that could not be carried to this target. */
  readonly dropped: readonly string[]
  /** Undefined where the simulated provider answers. */
  readonly health: TargetHealth | undefined
}
/** Where an attempt goes, and why it is made. */
export interface TryInput {
  readonly planned: PlannedTarget
  /** The planned target with the key that is used. */
  readonly target: Target
  readonly cause: Attempt['cause']
}
type Opened = OpenTry | AttemptFailure

export const isFailure = (opened: Opened): opened is AttemptFailure => 'outcome' in opened

/**
 * Sends the call to a target; gives why it could not go out, where it could not. Waits only for money or for a token.
 * @throws Refusal where the decision cannot be carried out anywhere.
 */
export function openTry(input: TryInput, way: Way): Opened | Promise<Opened> {
  const { planned, target, cause } = input
  const { allowed, incoming, trail, parts } = way
  const prompted = applyPrompt(allowed.call, planned.node.prompt, {
    versions: trail.snapshot?.versions ?? [],
    dialect: incoming.dialect,
  })
  const attempt = beginAttempt(trail, target, parts.clock())
  attempt.prompt = prompted.prompt
  attempt.billing = allowed.call.native?.billing ?? 'tokens'
  attempt.step = way.step
  if (attempt.index > 0) attempt.cause = cause
  const drill = way.drilled?.has(planned.node.target) === true ? allowed.options.drill : undefined
  if (drill !== undefined) {
    attempt.drill = drill.fault
    // Nothing is sent, so nothing is billed.
    attempt.billing = 'free'
  }
  const { upstream, money, simulate, clock } = parts
  const isReal = target.connection.status !== 'simulated' && drill === undefined
  const health = isReal ? parts.health.of(target) : undefined
  const opened = (open: OpenAttempt): OpenTry => {
    if (health !== undefined) {
      health.running++
      void open.exchange.head.then(() => noteLimits(health, open, parts))
    }
    return {
      open,
      dropped: [...(allowed.ignored ?? []), ...prompted.dropped, ...open.request.dropped],
      health,
    }
  }
  const send = (credential: string | undefined): OpenAttempt | Promise<OpenAttempt> =>
    openAttempt(
      {
        credential,
        call: prompted.call,
        target,
        node: planned.node,
        caps: allowed.decision.caps,
        fidelity: allowed.decision.fidelity,
        headers: incoming.request.headers,
        trail: attempt,
        ...{ account: accountOf(way), batch: allowed.batch },
        isWanted: () => !incoming.writer.gone && incoming.writer.cancelled === undefined,
        deadlineMs: way.deadlineMs,
        injected: drill === undefined ? undefined : injectFault(drill.fault),
      },
      { upstream, money, simulate, clock, defaults: parts.attemptDefaults },
    )
  const failed = (error: unknown): AttemptFailure => refused(error, attempt, way)
  try {
    const credential = credentialOf(target, parts.accessTokens)
    const opening = typeof credential === 'object' ? credential.then(send) : send(credential)
    // A call that nobody limits does not wait, not even for a moment.
    return opening instanceof Promise ? opening.then(opened).catch(failed) : opened(opening)
  } catch (error) {
    return failed(error)
  }
}

/** The call cannot be said to this target, or nobody pays for it; another one may take it as it is. */
function refused(error: unknown, attempt: AttemptTrail, way: Way): AttemptFailure {
  if (!(error instanceof Refusal)) throw error
  const outcome = error.code === 'upstream_unavailable' ? 'unavailable' : 'invalid'
  const failure = { outcome, refusal: error, fallback: true, answer: undefined } as const
  endAttempt(attempt, failure, way)
  return failure
}

/**
 * Relays the answer of an attempt to its end, settles it, and notes what it says of its target. Gives the failure where
 * nothing has reached the caller.
 */
export async function relayTry(tried: OpenTry, way: Way): Promise<AttemptFailure | undefined> {
  const { open } = tried
  const { trail, parts } = way
  trail.dropped.splice(0, trail.dropped.length, ...tried.dropped)
  const caller = watchCaller(open, way)
  let failure: AttemptFailure | undefined
  try {
    if (open.speed !== undefined && way.allowed.call.stream) {
      failure = await watchSpeed(open.exchange, open.speed, parts.clock)
    }
    failure ??= await (way.keep ?? relayAnswer)(open, way)
    if (failure !== undefined) {
      noteExchange(open)
      endAttempt(open.trail, failure, way)
    } else if (caller.isDrained()) {
      trail.error ??= new Refusal('client_closed', { detail: 'its answer was read to the end for its cost' })
    }
  } finally {
    // It is over already, unless an error of ours left it open.
    open.exchange.abort('the attempt is over')
    closeTry(tried, failure, way)
    caller.end()
  }
  return failure
}

/** Gives an attempt up that another one was faster than. */
export function abandonTry(tried: OpenTry, way: Way): void {
  const { open } = tried
  noteExchange(open)
  open.exchange.abort('another one was faster')
  const refusal = new Refusal('client_closed', { detail: 'another attempt was faster' })
  endAttempt(open.trail, { outcome: 'aborted', refusal }, way)
  closeTry(tried, undefined, way)
}

function closeTry({ open, health }: OpenTry, failure: AttemptFailure | undefined, way: Way): void {
  const { trail: attempt } = open
  attempt.errorClass = failure?.errorClass
  attempt.hold?.close(way.parts.clock())
  way.allowed.batch?.close(attempt)
  if (failure === undefined) noteLook(way.allowed.call, way.parts)
  if (health === undefined) return
  health.running--
  way.parts.health.note(health, outcomeOf(attempt, failure, way.deadlineMs))
}
