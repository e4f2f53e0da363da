/**
 * `closed`: all is well. `open`: nothing is sent. `probing`: as open, while a probe is on its way. `recovering`: a part
 * of the calls is sent again, and more from step to step.
 */
export type BreakerState = 'closed' | 'open' | 'probing' | 'recovering'

/** When a breaker opens and how it closes again. */
export interface BreakerRules {
  /** So many failures among the last `window` outcomes open it. */
  readonly failures: number
  readonly window: number
  /** How long it is open before the first probe; twice as long after each failure, up to the maximum. */
  readonly openMs: number
  readonly openMsMax: number
  /** Parts per million of the calls that it lets through when it comes back, step by step. */
  readonly shares: readonly number[]
  /** A step ends after so many good answers, or after this time without a bad one. */
  readonly stepAnswers: number
  readonly stepMs: number
}
export const breakerRules: BreakerRules = {
  failures: 3,
  window: 10,
  openMs: 1000,
  openMsMax: 30_000,
  shares: [100_000, 250_000, 500_000],
  stepAnswers: 5,
  stepMs: 5000,
}

/** Keeps calls from an upstream that does not answer. A state machine without a clock of its own. */
export class Breaker {
  state: BreakerState = 'closed'
  /** Clock time at which a probe may go out. */
  probeAtMs = 0
  readonly #rules: BreakerRules
  /** The last outcomes, a bit for each failure. */
  #outcomes = 0
  #openedInRow = 0
  #step = 0
  #stepAnswers = 0
  #stepEndsMs = 0

  constructor(rules: BreakerRules = breakerRules) {
    this.#rules = rules
  }

  /** Nothing is to be sent. */
  get isOpen(): boolean {
    return this.state === 'open' || this.state === 'probing'
  }

  /** Parts per million of the calls that may go there; undefined: all. */
  get sharePpm(): number | undefined {
    return this.state === 'recovering' ? (this.#rules.shares[this.#step] ?? 0) : undefined
  }

  /** An answer that was good. */
  succeed(nowMs: number): void {
    if (this.#outcomes !== 0 || this.state !== 'closed') this.#takeGood(nowMs)
  }

  /** An answer that was bad, or none. */
  fail(nowMs: number): void {
    if (this.isOpen) return
    const { window, failures } = this.#rules
    this.#outcomes = ((this.#outcomes << 1) | 1) & (2 ** window - 1)
    if (this.state === 'recovering' || countBits(this.#outcomes) >= failures) this.trip(nowMs)
  }

  /** Opens at once. */
  trip(nowMs: number): void {
    if (this.isOpen) return
    this.#open(nowMs)
  }

  /** A probe goes out. */
  beginProbe(): void {
    if (this.state === 'open') this.state = 'probing'
  }

  /** What the probe found. */
  endProbe(isAlive: boolean, nowMs: number): void {
    if (this.state !== 'probing') return
    if (!isAlive) this.#open(nowMs)
    else this.#beginStep(0, nowMs)
  }

  /** Goes on by the time alone: an upstream that few calls are for comes back too. */
  tick(nowMs: number): void {
    if (this.state === 'recovering' && nowMs >= this.#stepEndsMs) this.#beginStep(this.#step + 1, nowMs)
  }

  #takeGood(nowMs: number): void {
    this.#outcomes = (this.#outcomes << 1) & (2 ** this.#rules.window - 1)
    if (this.state !== 'recovering') return
    this.#stepAnswers++
    if (this.#stepAnswers >= this.#rules.stepAnswers) this.#beginStep(this.#step + 1, nowMs)
  }

  #open(nowMs: number): void {
    const { openMs, openMsMax } = this.#rules
    this.state = 'open'
    this.probeAtMs = nowMs + Math.min(openMsMax, openMs * 2 ** Math.min(this.#openedInRow, 16))
    this.#openedInRow++
    this.#outcomes = 0
  }

  #beginStep(step: number, nowMs: number): void {
    this.#step = step
    this.#stepAnswers = 0
    this.#stepEndsMs = nowMs + this.#rules.stepMs
    this.state = step < this.#rules.shares.length ? 'recovering' : 'closed'
    if (this.state === 'closed') this.#openedInRow = 0
  }
}

function countBits(bits: number): number {
  let count = 0
  for (let rest = bits; rest !== 0; rest &= rest - 1) count++
  return count
}
