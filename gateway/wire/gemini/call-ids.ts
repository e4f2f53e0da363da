interface OpenCall {
  readonly id: string
  readonly name: string
}

/**
 * Gives every call of a conversation an id: its own, or a made one, which is the same each time the conversation comes.
 * A result without an id answers the first open call of its name.
 */
export class CallIds {
  readonly #open: OpenCall[] = []
  #made = 0

  call(id: string | undefined, name: string): string {
    const known = id || `call_${this.#made++}`
    this.#open.push({ id: known, name })
    return known
  }

  answer(id: string | undefined, name: string): string {
    const at = this.#open.findIndex((call) => (id ? call.id === id : call.name === name))
    const [call] = at === -1 ? [] : this.#open.splice(at, 1)
    return id || (call?.id ?? `call_${this.#made++}`)
  }
}
