/** Keeps at most so many things by name; what was asked for longest ago goes first. Reads each once at a time. */
export class Shelf<Value> {
  readonly #max: number
  readonly #kept = new Map<string, Promise<Value>>()

  constructor(max: number) {
    this.#max = max
  }

  get(name: string, read: () => Promise<Value>): Promise<Value> {
    const known = this.#kept.get(name)
    if (known !== undefined) {
      this.#kept.delete(name)
      this.#kept.set(name, known)
      return known
    }
    const value = read()
    this.#kept.set(name, value)
    // What could not be read may be there the next time.
    value.catch(() => this.#kept.delete(name))
    const [oldest] = this.#kept.keys()
    if (this.#kept.size > this.#max && oldest !== undefined) this.#kept.delete(oldest)
    return value
  }
}
