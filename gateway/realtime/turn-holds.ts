import { type Caps, Refusal } from '@signalbox/sdk/contract'
import { type Account, holdAttempt, isUnlimited } from '../hold-attempt.ts'
import type { DecidedCall } from '../limits/admit-call.ts'
import type { AttemptHold } from '../money/attempt-hold.ts'
import { budgetsOf } from '../money/call-budgets.ts'
import type { GatewayParts } from '../parts.ts'
import type { UpstreamRequest } from '../provider.ts'
import type { PlannedTarget } from '../steps/select.ts'
import { beginAttempt, beginTrail, type Trail } from '../trail.ts'
import { commitTurn } from '../turn-end.ts'

/** A turn that may begin: its record's id, and what is kept for it; no hold where no budget concerns it. */
export interface PaidTurn {
  readonly id: string
  readonly hold: AttemptHold | undefined
}

/** A turn has no request of its own: all that the session holds by then is its input. */
const noRequest: UpstreamRequest = {
  method: 'POST',
  path: '/realtime',
  headers: {},
  body: Buffer.alloc(0),
  dropped: [],
  responseDropped: [],
  addedUsage: false,
  identity: false,
}

type Session = Pick<DecidedCall, 'call' | 'caller'>

/**
 * Keeps what the next turn of a session can cost before it begins, since a turn may begin at any moment and cannot wait
 * then. A turn can cost a whole context at the highest price, and the longest answer.
 */
export class TurnHolds {
  readonly #opening: Trail
  readonly #planned: PlannedTarget
  readonly #session: Session
  readonly #parts: GatewayParts
  #next: PaidTurn | undefined
  #refusal: Refusal | undefined
  #isPreparing = false
  #isOver = false

  constructor(opening: Trail, planned: PlannedTarget, session: Session, parts: GatewayParts) {
    this.#opening = opening
    this.#planned = planned
    this.#session = session
    this.#parts = parts
  }

  /**
   * Keeps the money of the next turn, unless it is kept already.
   * @throws Refusal where it cannot be had.
   */
  async prepare(): Promise<void> {
    if (isUnlimited(this.#account(''))) return
    if (this.#next !== undefined || this.#isPreparing || this.#isOver) return
    this.#isPreparing = true
    try {
      const id = this.#parts.createId()
      this.#next = { id, hold: await this.#hold(id) }
      this.#refusal = undefined
      if (this.#isOver) this.close()
    } finally {
      this.#isPreparing = false
    }
  }

  /** Whether a turn may begin. @throws Refusal that says why not. */
  check(): void {
    if (this.#next !== undefined || isUnlimited(this.#account(''))) return
    const refusal = this.#refusal ?? new Refusal('not_ready', { retryAfterS: 1 })
    this.#prepareSoon()
    throw refusal
  }

  /** The next turn; the one after it is prepared meanwhile. Undefined where nothing is kept for one and must be. */
  take(): PaidTurn | undefined {
    if (this.#next === undefined && isUnlimited(this.#account(''))) {
      return { id: this.#parts.createId(), hold: undefined }
    }
    const turn = this.#next
    this.#next = undefined
    this.#prepareSoon()
    turn?.hold?.dispatch()
    return turn
  }

  /** Also after it could not be had: a window may have begun, a limit been raised. */
  #prepareSoon(): void {
    this.prepare().catch((error: unknown) => {
      this.#refusal = error instanceof Refusal ? error : new Refusal('internal')
    })
  }

  /** Nothing more begins: what is kept goes back. */
  close(): void {
    this.#isOver = true
    this.#next?.hold?.close(this.#parts.clock())
    this.#next = undefined
  }

  get #caps(): Caps {
    return this.#opening.evaluation?.decision.caps ?? {}
  }

  /** Budgets change while a session lasts. */
  #account(callId: string): Account {
    const { costNanoUsd } = this.#caps
    const budgets = budgetsOf(this.#parts.snapshots.current(), this.#session.caller.key)
    return { callId, budgets, capLeft: costNanoUsd === undefined ? undefined : BigInt(costNanoUsd) }
  }

  async #hold(callId: string): Promise<AttemptHold | undefined> {
    const { target, node } = this.#planned
    const { call } = this.#session
    const { dialect, operation } = this.#opening
    const account = this.#account(callId)
    if (isUnlimited(account)) return undefined
    const startMs = this.#parts.clock()
    // The hold is made before the turn has a trail; its owner is the turn all the same.
    const trail = beginAttempt(beginTrail({ id: callId, startMs, dialect, operation }), target, startMs)
    const hold = await holdAttempt(
      { call, target, node, caps: this.#caps, account, trail },
      noRequest,
      this.#parts.money,
    )
    // A session's messages do not wait for the end of the turn.
    commitTurn()
    if (hold.state.clampTo === undefined) return hold
    // The answers of a session cannot be kept shorter.
    hold.close(startMs)
    throw new Refusal('budget_exhausted', { message: 'No budget covers another turn of this session.' })
  }
}
