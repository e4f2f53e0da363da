import type { SharedOwners, StoredOwner } from '../stored-ids.ts'
import type { RedisLink } from './redis-link.ts'

/** Longer than any provider keeps an answer: OpenAI's are gone after 30 days. */
const passingS = 60 * 24 * 3600
const separator = '\n'

/** What could not be told while the server was away waits for it, so many things at most. */
const waitingMax = 20_000
const retryMs = 1000

interface Noted {
  readonly owner: StoredOwner
  readonly lasts: boolean
}

/** Owners of what providers keep, in Redis or Valkey. While the server is away nobody learns of others' things. */
export class RedisOwners implements SharedOwners {
  readonly #link: RedisLink
  readonly #waiting = new Map<string, Noted>()
  #timer: NodeJS.Timeout | undefined

  constructor(link: RedisLink) {
    this.#link = link
  }

  note(key: string, owner: StoredOwner, lasts: boolean): void {
    void this.#tell(key, { owner, lasts })
  }

  async #tell(key: string, { owner, lasts }: Noted): Promise<void> {
    const { client } = this.#link
    const value = [owner.nodeId, owner.connection].join(separator)
    const name = this.#nameOf(key)
    // With NX the server says nothing where it has an owner already, which is an answer as well.
    const answer = await this.#link.ask(async () => ({
      said: await (lasts ? client.set(name, value, 'NX') : client.set(name, value, 'EX', passingS, 'NX')),
    }))
    if (answer !== undefined) this.#waiting.delete(key)
    else if (this.#waiting.size < waitingMax) this.#waiting.set(key, { owner, lasts })
    if (this.#waiting.size > 0) this.#retryLater()
  }

  #retryLater(): void {
    if (this.#timer !== undefined) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      if (!this.#link.isUp) {
        this.#retryLater()
        return
      }
      for (const [key, noted] of this.#waiting) void this.#tell(key, noted)
    }, retryMs)
    this.#timer.unref()
  }

  async find(keys: readonly string[]): Promise<ReadonlyMap<string, StoredOwner> | undefined> {
    const values = await this.#link.ask(() => this.#link.client.mget(keys.map((key) => this.#nameOf(key))))
    if (values === undefined) return undefined
    const found = new Map<string, StoredOwner>()
    for (const [index, key] of keys.entries()) {
      const [nodeId, connection] = values[index]?.split(separator) ?? []
      if (nodeId !== undefined && connection !== undefined) found.set(key, { nodeId, connection })
    }
    return found
  }

  forget(key: string): void {
    this.#waiting.delete(key)
    void this.#link.ask(() => this.#link.client.del(this.#nameOf(key)))
  }

  #nameOf(key: string): string {
    return this.#link.key('stored', key)
  }
}
