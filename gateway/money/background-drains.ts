/** Answers that are read to their end for nobody: so many at a time, and each for so long. */
const standardLimits = { drainsMax: 64, spanMs: 30_000 } as const
export type DrainLimits = { readonly [name in keyof typeof standardLimits]: number }

/** What is read on. */
export interface DrainedExchange {
  resume(): void
  abort(detail: string): void
}

/**
 * Where a provider bills on after an abort, an answer whose caller has gone is read to its end: only that tells what it
 * cost. Beyond the limits it is given up, and its whole hold is settled.
 */
export class BackgroundDrains {
  readonly #limits: DrainLimits
  #running = 0

  constructor(limits: DrainLimits = standardLimits) {
    this.#limits = limits
  }

  /** Lets an exchange go on; gives what to call at its end, or undefined where it must be aborted now. */
  start(exchange: DrainedExchange): (() => void) | undefined {
    if (this.#running >= this.#limits.drainsMax) return undefined
    this.#running++
    const timer = setTimeout(() => exchange.abort('nobody waits for it any more'), this.#limits.spanMs)
    // Nobody reads any more, so nobody is too slow either.
    exchange.resume()
    return () => {
      clearTimeout(timer)
      this.#running--
    }
  }
}
