import type { TargetSight } from '@signalbox/sdk/contract'
import type { Target } from '../targets.ts'
import { Breaker, type BreakerRules } from './breaker.ts'
import { Quota } from './quota.ts'

/** How an attempt went, as far as it says something of its target. */
export interface Outcome {
  /** `good`: an answer, or a refusal that any call may get. `bad`: no answer, or one that says so itself. */
  readonly kind: 'good' | 'bad' | 'refused' | 'limited' | 'unknown'
  /** For `good`: to the first byte. */
  readonly firstTokenMs?: number
  /** For `good`: from the first byte to the last. */
  readonly flowMs?: number
  readonly outputTokens?: number
  /** For `limited`: how long the provider wants to be left alone. */
  readonly waitMs?: number
}

/** Weight of the latest measurement, and of the latest outcome. */
const latencyWeight = 0.2
const errorWeight = 0.05
/** Error rates are told in steps: facts that change all the time would be decided anew all the time. */
const errorStepPpm = 10_000
/** Measurements older than this say nothing any more. */
const freshMs = 60_000
/** Fewer tokens than this say nothing of speed. */
const tokensMin = 8
/** No provider keeps calls away for longer than this. */
const waitMsMax = 600_000

/** A connection, as its models share it: where nothing listens, nothing listens for any of them. */
export class ConnectionHealth {
  readonly breaker: Breaker
  constructor(rules?: BreakerRules) {
    this.breaker = new Breaker(rules)
  }
}

/** What a gateway has seen of a target itself: whether it answers, how fast, and how much it has to do. */
export class TargetHealth {
  readonly breaker: Breaker
  readonly connection: ConnectionHealth
  /** For probes. */
  readonly target: Target
  /** What the provider says is left of its limits. */
  readonly quota = new Quota()
  running = 0
  #errorRate = 0
  #firstTokenMs = 0
  #tokenUs = 0
  #measuredMs = Number.NEGATIVE_INFINITY
  #limitedUntilMs = 0

  constructor(target: Target, connection: ConnectionHealth, rules?: BreakerRules) {
    this.target = target
    this.connection = connection
    this.breaker = new Breaker(rules)
  }

  /** Nothing is known that a call should go by. */
  get isPlain(): boolean {
    return (
      this.breaker.state === 'closed' &&
      this.connection.breaker.state === 'closed' &&
      this.#limitedUntilMs === 0
    )
  }

  get errorPpm(): number {
    return Math.round((this.#errorRate * 1_000_000) / errorStepPpm) * errorStepPpm
  }

  state(nowMs: number): 'up' | 'degraded' | 'down' {
    const { breaker } = this.connection
    if (this.breaker.isOpen || breaker.isOpen) return 'down'
    const isBack = this.breaker.state === 'recovering' || breaker.state === 'recovering'
    return isBack || this.#isLimited(nowMs) ? 'degraded' : 'up'
  }

  note(outcome: Outcome, nowMs: number): void {
    const { kind } = outcome
    if (kind === 'unknown') return
    if (kind === 'limited') {
      const waitMs = Math.min(outcome.waitMs ?? 0, waitMsMax)
      if (waitMs > 0) this.#limitedUntilMs = Math.max(this.#limitedUntilMs, nowMs + waitMs)
      return
    }
    const isGood = kind === 'good'
    if (this.#errorRate > 0 || !isGood) this.#errorRate += errorWeight * ((isGood ? 0 : 1) - this.#errorRate)
    if (isGood) {
      this.breaker.succeed(nowMs)
      this.connection.breaker.succeed(nowMs)
      this.#measure(outcome, nowMs)
    } else if (kind === 'refused') this.connection.breaker.trip(nowMs)
    else this.breaker.fail(nowMs)
  }

  /** How it looks to a selection. */
  sight(name: string, nowMs: number): TargetSight {
    const state = this.state(nowMs)
    const isFresh = nowMs - this.#measuredMs < freshMs
    const sharePpm = this.#sharePpm(nowMs)
    const { remainingPpm } = this.quota.remaining
    return {
      target: name,
      state,
      ...(state === 'down' && { reason: 'circuit open' }),
      ...(state === 'degraded' && {
        reason: this.#isLimited(nowMs) ? 'rate limited' : 'coming back',
      }),
      ...(this.errorPpm > 0 && { errorPpm: this.errorPpm }),
      ...(sharePpm !== undefined && { sharePpm }),
      ...(isFresh && { firstTokenMs: Math.round(this.#firstTokenMs), tokenUs: Math.round(this.#tokenUs) }),
      ...(remainingPpm !== undefined && { remainingPpm }),
      running: this.running,
    }
  }

  /** Clock time at which the next probe goes out; undefined while none is needed. */
  retryAtMs(): number | undefined {
    const open = [this.breaker, this.connection.breaker].filter(({ isOpen }) => isOpen)
    return open.length === 0 ? undefined : Math.max(...open.map(({ probeAtMs }) => probeAtMs))
  }

  #isLimited(nowMs: number): boolean {
    if (this.#limitedUntilMs === 0) return false
    if (nowMs < this.#limitedUntilMs) return true
    this.#limitedUntilMs = 0
    return false
  }

  #sharePpm(nowMs: number): number | undefined {
    if (this.#isLimited(nowMs)) return 0
    const shares = [this.breaker.sharePpm, this.connection.breaker.sharePpm]
    const known = shares.filter((share) => share !== undefined)
    return known.length === 0 ? undefined : Math.min(...known)
  }

  #measure({ firstTokenMs, flowMs, outputTokens }: Outcome, nowMs: number): void {
    if (firstTokenMs === undefined) return
    const isFirst = nowMs - this.#measuredMs >= freshMs
    const blend = (known: number, seen: number): number =>
      isFirst ? seen : known + latencyWeight * (seen - known)
    this.#firstTokenMs = blend(this.#firstTokenMs, firstTokenMs)
    if (flowMs !== undefined && outputTokens !== undefined && outputTokens >= tokensMin) {
      this.#tokenUs = blend(this.#tokenUs, (flowMs * 1000) / outputTokens)
    }
    this.#measuredMs = nowMs
  }
}
