import { Refusal } from '@signalbox/sdk/contract'
import { tokensOf } from '../limits/admit-call.ts'
import type { GatewayParts } from '../parts.ts'
import { isPlausibleUsage } from '../prices.ts'
import { authenticate } from '../steps/authenticate.ts'
import { settleAttempt } from '../steps/settle.ts'
import type { Target } from '../targets.ts'
import { type AttemptTrail, beginAttempt, beginTrail, type Trail } from '../trail.ts'
import { commitTurn } from '../turn-end.ts'
import { asObject, asString } from '../wire/json-value.ts'
import { readRealtimeUsage } from '../wire/openai-operations/realtime-usage.ts'
import type { SessionPlan } from './session-plan.ts'
import type { TurnHolds } from './turn-holds.ts'

/** A turn of more bytes than this is estimated at no more: audio is many bytes and few tokens. */
const bytesPerToken = 4
const httpRoute = '/v1/realtime'

interface Turn {
  readonly trail: Trail
  readonly attempt: AttemptTrail
  readonly inputBytes: number
}

/** The turns of a session: each is admitted, settled and recorded by itself, as a call would be. */
export class SessionTurns {
  readonly #opening: Trail
  readonly #plan: SessionPlan
  readonly #target: Target
  readonly #holds: TurnHolds
  readonly #parts: GatewayParts
  readonly #running = new Map<string, Turn>()
  #inputBytes = 0
  count = 0

  constructor(
    opening: Trail,
    plan: SessionPlan,
    { target, holds }: { readonly target: Target; readonly holds: TurnHolds },
    parts: GatewayParts,
  ) {
    this.#opening = opening
    this.#plan = plan
    this.#target = target
    this.#holds = holds
    this.#parts = parts
  }

  get running(): number {
    return this.#running.size
  }

  /** What the caller said since the last turn: an estimate's input where no usage is ever told. */
  heard(bytes: number): void {
    this.#inputBytes += bytes
  }

  /**
   * The admission of a turn: the key must still be one, with a state to look it up in, and its money must be kept.
   * @throws Refusal
   */
  admit(): void {
    this.#checkKey()
    this.#holds.check()
  }

  #checkKey(): void {
    const snapshot = this.#parts.snapshots.current()
    const caller = authenticate(this.#plan.headers, '', snapshot, this.#parts.clock())
    if (caller.key.node !== this.#plan.caller.key.node) throw new Refusal('forbidden')
  }

  /**
   * The upstream has begun a turn, perhaps by itself.
   * @throws Refusal where it may not go on. It is a turn all the same: its beginning may have cost something.
   */
  begin(responseId: string): void {
    const { dialect, operation } = this.#opening
    const startMs = this.#parts.clock()
    const paid = this.#holds.take()
    const trail = beginTrail({ id: paid?.id ?? this.#parts.createId(), startMs, dialect, operation })
    const { snapshot, version, keyId, nodeId, asked, metadata, undeclared } = this.#opening
    const { facts, evaluation, evaluatedMs, selection } = this.#opening
    Object.assign(trail, { snapshot, version, keyId, nodeId, asked, metadata, undeclared })
    const { rollouts, layers } = this.#opening
    Object.assign(trail, { rollouts, layers, facts, evaluation, evaluatedMs, selection })
    Object.assign(trail, { status: 200, identity: true })
    const attempt = beginAttempt(trail, this.#target, startMs)
    Object.assign(attempt, { winner: true, sent: true, status: 200, firstByteMs: startMs })
    attempt.upstreamRequestId = responseId.slice(0, 256)
    attempt.hold = paid?.hold
    this.#running.set(responseId, { trail, attempt, inputBytes: this.#inputBytes })
    this.#inputBytes = 0
    this.count++
    this.#checkKey()
    if (paid === undefined) this.#holds.check()
  }

  /** Bytes of the answer went to the caller. */
  said(bytes: number): void {
    for (const { trail, attempt } of this.#running.values()) {
      if (trail.firstTokenMs === 0) trail.firstTokenMs = this.#parts.clock()
      attempt.bytesIn += bytes
      attempt.meteredChars += bytes
      trail.bytesOut += bytes
    }
  }

  /** The upstream has ended a turn and told its usage. */
  done(response: unknown): void {
    const id = asString(asObject(response)?.id) ?? ''
    const turn = this.#running.get(id)
    if (turn === undefined) return
    const status = asString(asObject(response)?.status)
    const usage = readRealtimeUsage(response)
    turn.attempt.usage = usage !== undefined && isPlausibleUsage(usage) ? usage : undefined
    turn.attempt.finish = status
    turn.attempt.outcome = status === 'failed' ? 'error' : 'ok'
    this.#end(id, turn)
  }

  /** The session is over: what runs was cut. */
  cut(refusal: Refusal): void {
    for (const [id, turn] of this.#running) {
      turn.attempt.outcome = refusal.code === 'upstream_reset' ? 'reset' : 'aborted'
      turn.attempt.errorCode = refusal.code
      turn.trail.error = refusal
      turn.trail.truncated = refusal.code !== 'client_closed'
      this.#end(id, turn)
    }
    this.#holds.close()
  }

  #end(id: string, { trail, attempt, inputBytes }: Turn): void {
    this.#running.delete(id)
    const endMs = this.#parts.clock()
    attempt.endMs = endMs
    trail.endMs = endMs
    settleAttempt(attempt, Math.ceil(inputBytes / bytesPerToken))
    this.#opening.admission?.use(tokensOf(attempt.usage))
    const overrun = attempt.hold?.settle(attempt, endMs) ?? 0n
    if (overrun > 0n) this.#parts.money.counts.overruns++
    this.#parts.ended.add({ trail, spans: this.#parts.newSpanIds(), httpRoute, method: 'GET' })
    // The message that ends the turn does not wait for the end of this one.
    commitTurn()
  }
}
