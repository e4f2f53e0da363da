import { type Decision, type PlanNode, Refusal } from '@signalbox/sdk/contract'
import type { BatchOpening } from './batches/batch-opening.ts'
import type { Call } from './call.ts'
import type { CallGuards } from './guardrails/call-guards.ts'
import { holding } from './guardrails/guard-stream.ts'
import type { Account } from './hold-attempt.ts'
import type { Incoming } from './incoming.ts'
import type { Meter } from './meter.ts'
import type { CallBudgets } from './money/call-budgets.ts'
import type { GatewayParts } from './parts.ts'
import type { OpenAttempt } from './steps/attempt.ts'
import type { CallOptions } from './steps/read-options.ts'
import type { Selected } from './steps/select.ts'
import { settleAttempt } from './steps/settle.ts'
import type { AttemptTrail, Trail } from './trail.ts'
import { upstreamRequestId } from './upstream/answer-headers.ts'
import type { AttemptFailure } from './upstream/judge-failure.ts'

/** A call that may be served, and where. */
export interface AllowedCall {
  readonly call: Call
  readonly decision: Decision
  readonly options: CallOptions
  /** Estimate, for attempts that report no usage. */
  readonly inputTokens: number
  readonly selected: Selected
  readonly budgets: CallBudgets
  /** The guardrails that its decision demands; undefined for none. */
  readonly guards?: CallGuards | undefined
  /** The job that the call begins; undefined for none. */
  readonly batch?: BatchOpening | undefined
  /** Selects in another plan of the decision, for failures that it has one for. */
  readonly again: (plan: PlanNode) => Selected
  /** What the reading of the call could not keep and wishes that nobody granted, for `x-signalbox-dropped`. */
  readonly ignored?: readonly string[]
}
/** A call on its way out, with what its stages need. */
export interface Way {
  readonly allowed: AllowedCall
  readonly incoming: Incoming
  readonly trail: Trail
  readonly parts: GatewayParts
  /** Clock time by which the caller wants an end. */
  readonly deadlineMs: number
  /** Told at the commit point: the caller gets this attempt's answer, and no other can be tried. */
  readonly onCommit?: () => void
  /** Takes an attempt's answer in place of the caller. */
  readonly keep?: (open: OpenAttempt, way: Way) => Promise<AttemptFailure | undefined>
  /** Targets whose answers a drill puts a fault in place of. */
  readonly drilled?: ReadonlySet<string>
  /** The step of a pipeline that is served. */
  readonly step?: string
}

/** Whether anybody still waits for an answer. @throws Refusal where nobody does. */
export function checkWanted({ incoming, deadlineMs, parts }: Way): void {
  const { cancelled, gone } = incoming.writer
  if (cancelled !== undefined) throw cancelled
  if (gone) throw new Refusal('client_closed')
  if (parts.clock() >= deadlineMs) {
    throw new Refusal('upstream_timeout', { message: 'No answer came in the time that the caller gave.' })
  }
}

/** Who pays for the next attempt. All attempts of a call share the decision's ceiling. */
export function accountOf({ allowed, trail }: Way): Account {
  const cap = allowed.decision.caps.costNanoUsd
  let capLeft = cap === undefined ? undefined : BigInt(cap)
  if (capLeft !== undefined) {
    for (const { hold } of trail.attempts) capLeft -= hold?.committedNanoUsd ?? 0n
  }
  const { guards, call, budgets } = allowed
  const isReadWhole = call.stream && guards !== undefined && holding(guards).length > 0
  return { callId: trail.id, budgets, capLeft, isReadWhole }
}

/** What the exchange says of itself, on the attempt's trail. */
export function noteExchange({ exchange, trail }: OpenAttempt): void {
  trail.status = exchange.status
  trail.firstByteMs = exchange.firstByteMs
  trail.bytesIn = exchange.bytesIn
  trail.sent = exchange.sent
  trail.upstreamRequestId = upstreamRequestId(exchange.headers)
}

/** Closes an attempt, well or not, and settles it. */
export function endAttempt(
  attempt: AttemptTrail,
  end: { readonly outcome: AttemptTrail['outcome']; readonly refusal: Refusal | undefined },
  { allowed, parts }: Way,
): void {
  attempt.endMs = parts.clock()
  attempt.outcome = end.outcome
  attempt.errorCode = end.refusal?.code
  settleAttempt(attempt, allowed.inputTokens)
  const overrun = attempt.hold?.settle(attempt, attempt.endMs) ?? 0n
  if (overrun > 0n) parts.money.counts.overruns++
}

/** Raises the hold while the answer streams; undefined where it covers all of it from the start. */
export function growing(
  { trail: { hold } }: OpenAttempt,
  { parts }: Way,
): ((meter: Meter) => boolean) | undefined {
  if (hold?.state.kind !== 'growing') return undefined
  return (meter) => {
    const mayGoOn = hold.grow(meter.seenTokens)
    if (!mayGoOn) parts.money.counts.cuts++
    return mayGoOn
  }
}

/** Ends an exchange when nobody waits for it any more, or lets it go on where only its end tells what it cost. */
export function watchCaller(
  { exchange, trail: { hold } }: OpenAttempt,
  { incoming: { writer }, parts: { money } }: Way,
): { readonly isDrained: () => boolean; readonly end: () => void } {
  let endDrain: (() => void) | undefined
  writer.onStop = () => {
    if (writer.gone && hold?.billsOn === true) endDrain = money.drains.start(exchange)
    if (endDrain === undefined) exchange.abort('nobody waits for it any more')
    else money.counts.drained++
  }
  return {
    isDrained: () => endDrain !== undefined,
    end() {
      writer.onStop = undefined
      endDrain?.()
    },
  }
}
