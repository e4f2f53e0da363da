/** How long to wait before trying again: doubles from `baseMs` to `maxMs`, spread so that a fleet does not march. */
export class Backoff {
  readonly #baseMs: number
  readonly #maxMs: number
  readonly #random: () => number
  #failures = 0

  constructor(options: { readonly baseMs: number; readonly maxMs: number; readonly random: () => number }) {
    this.#baseMs = options.baseMs
    this.#maxMs = options.maxMs
    this.#random = options.random
  }

  /** The wait after one more failure. */
  nextMs(): number {
    const fullMs = Math.min(this.#maxMs, this.#baseMs * 2 ** Math.min(this.#failures, 30))
    this.#failures++
    return spread(fullMs, this.#random)
  }

  reset(): void {
    this.#failures = 0
  }
}

/** Between half of `ms` and `ms`. */
export function spread(ms: number, random: () => number): number {
  return ms * (0.5 + random() / 2)
}
