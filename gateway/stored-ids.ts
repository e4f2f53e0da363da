import { hash } from 'node:crypto'

/** Whose a thing at a provider is, and where it is kept. */
export interface StoredOwner {
  /** Node of the key that made it. */
  readonly nodeId: string
  /** Name of the connection whose upstream keeps it. */
  readonly connection: string
}

/** About 30 MB; the oldest make room. */
const storedIdsMax = 200_000

/**
 * Who owns what providers keep: hash of the provider's id → owner. In memory, of this gateway alone: after a restart,
 * or at another gateway, nobody knows an id any more.
 */
export class StoredIds {
  readonly #owners = new Map<string, StoredOwner>()
  readonly #idsMax: number

  constructor(idsMax: number = storedIdsMax) {
    this.#idsMax = idsMax
  }

  /** Notes an id; the first owner of one stays it. */
  note(id: string, owner: StoredOwner): void {
    const key = keyOf(id)
    const known = this.#owners.get(key) ?? owner
    this.#owners.delete(key)
    this.#owners.set(key, known)
    if (this.#owners.size <= this.#idsMax) return
    for (const oldest of this.#owners.keys()) {
      this.#owners.delete(oldest)
      break
    }
  }

  find(id: string): StoredOwner | undefined {
    return this.#owners.get(keyOf(id))
  }

  forget(id: string): void {
    this.#owners.delete(keyOf(id))
  }
}

const keyOf = (id: string): string => hash('sha256', id, 'base64url')
