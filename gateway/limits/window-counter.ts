/** How far a limit is used up, as far as this gateway knows. */
export interface CounterView {
  readonly used: number
  /** When the window ends; undefined where none has begun, and for concurrency. */
  readonly endMs: number | undefined
}
/** Counts against a limit. Asked and told at once; whoever can wait asks for `more` first. */
export interface LimitCounter {
  /** Whether so many more fit. */
  fits(amount: number, limit: number, nowMs: number): boolean
  /** Takes so many, whether they fit or not; gives which window it was, for `correct`. */
  take(amount: number, limit: number, nowMs: number): number
  /** Takes more (or gives some back) of what was taken in a window. */
  correct(window: number, amount: number, nowMs: number): void
  view(limit: number, nowMs: number): CounterView
  /** Fetches what is needed for so many, from where gateways share it; absent where all is counted here. */
  more?(amount: number, limit: number): Promise<void>
  /** Nothing would be lost if it was forgotten. */
  isIdle(nowMs: number): boolean
}

/** A window of time in this gateway's memory. It begins with the first use, and ends its length later. */
export class WindowCounter implements LimitCounter {
  readonly #lengthMs: number
  #used = 0
  #endMs = 0
  #window = 0

  constructor(lengthMs: number) {
    this.#lengthMs = lengthMs
  }

  /** The window that runs, or the last one that did. */
  get window(): number {
    return this.#window
  }

  fits(amount: number, limit: number, nowMs: number): boolean {
    return (nowMs >= this.#endMs ? 0 : this.#used) + amount <= limit
  }

  take(amount: number, _limit: number, nowMs: number): number {
    if (nowMs >= this.#endMs) {
      this.#used = 0
      this.#endMs = nowMs + this.#lengthMs
      this.#window++
    }
    this.#used += amount
    return this.#window
  }

  /** What was used too much counts in the window that runs now; what was too little only helps its own. */
  correct(window: number, amount: number, nowMs: number): void {
    if (amount > 0) this.take(amount, 0, nowMs)
    else if (window === this.#window) this.#used = Math.max(0, this.#used + amount)
  }

  view(_limit: number, nowMs: number): CounterView {
    if (nowMs >= this.#endMs) return { used: 0, endMs: undefined }
    return { used: this.#used, endMs: this.#endMs }
  }

  isIdle(nowMs: number): boolean {
    return nowMs >= this.#endMs
  }
}

/** Calls that are under way at the same time, in this gateway. */
export class RunningCounter implements LimitCounter {
  #running = 0

  fits(amount: number, limit: number): boolean {
    return this.#running + amount <= limit
  }

  take(amount: number): number {
    this.#running += amount
    return 0
  }

  correct(_window: number, amount: number): void {
    this.#running = Math.max(0, this.#running + amount)
  }

  view(): CounterView {
    return { used: this.#running, endMs: undefined }
  }

  isIdle(): boolean {
    return this.#running === 0
  }
}
