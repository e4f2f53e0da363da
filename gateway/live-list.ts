/** Where something stands in its list; written by the list alone. */
export interface Listed {
  slot: number
}

/**
 * What is there at the moment, in no order. A Set would say the same, but whenever one is full of what was deleted, the
 * runtime moves it to a new table and leaves the old one pointing at the new one and at all that was in it: once such a
 * table is in the old part of the heap, the calls of all later ones stay there too until the next full collection. For
 * the same reason the places here are never given back: they are as many as were ever needed at once.
 */
export class LiveList<Item extends Listed> {
  readonly #places: (Item | undefined)[] = []
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Adds an item that is in no list. */
  add(item: Item): void {
    item.slot = this.#size
    this.#places[this.#size++] = item
  }

  /** Takes an item out; nothing happens where it is out already. */
  delete(item: Item): void {
    const { slot } = item
    if (slot >= this.#size || this.#places[slot] !== item) return
    this.#size--
    const last = this.#places[this.#size]
    this.#places[this.#size] = undefined
    if (last === undefined || last === item) return
    last.slot = slot
    this.#places[slot] = last
  }

  /** Looks at all; one that is added or deleted meanwhile is seen or not. */
  visit(look: (item: Item) => void): void {
    for (let slot = this.#size - 1; slot >= 0; slot--) {
      const item = this.#places[slot]
      if (item !== undefined) look(item)
    }
  }
}
