export interface MemoLimits {
  /** Entries, at most. */
  readonly entriesMax: number
  /** Characters of all keys together, at most. */
  readonly charactersMax: number
}

/**
 * Remembers what pure functions gave, by a text that names the arguments. Bounded in two generations: what was asked
 * for since the older one was closed stays, the rest goes at once, so no call pays for tidying up.
 */
export class Memo<Value> {
  readonly #limits: MemoLimits
  #young = new Map<string, Value>()
  #old = new Map<string, Value>()
  #characters = 0

  /** Both generations together keep the limits. */
  constructor(limits: MemoLimits) {
    this.#limits = limits
  }

  get(key: string): Value | undefined {
    const known = this.#young.get(key)
    if (known !== undefined) return known
    const older = this.#old.get(key)
    if (older !== undefined) this.set(key, older)
    return older
  }

  set(key: string, value: Value): void {
    const { entriesMax, charactersMax } = this.#limits
    if (key.length * 4 > charactersMax) return
    if (this.#young.size * 2 >= entriesMax || (this.#characters + key.length) * 2 > charactersMax) {
      this.#old = this.#young
      this.#young = new Map()
      this.#characters = 0
    }
    this.#young.set(key, value)
    this.#characters += key.length
  }

  clear(): void {
    this.#young.clear()
    this.#old.clear()
    this.#characters = 0
  }
}
