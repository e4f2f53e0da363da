import type { SharedOwners, StoredOwner } from '../stored-ids.ts'
import type { RedisLink } from './redis-link.ts'

/** Longer than any provider keeps an answer: OpenAI's are gone after 30 days. */
const passingS = 60 * 24 * 3600
const separator = '\n'

/** Owners of what providers keep, in Redis or Valkey. While the server is away nobody learns of others' things. */
export class RedisOwners implements SharedOwners {
  readonly #link: RedisLink

  constructor(link: RedisLink) {
    this.#link = link
  }

  note(key: string, { nodeId, connection }: StoredOwner, lasts: boolean): void {
    const { client } = this.#link
    const value = [nodeId, connection].join(separator)
    void this.#link.ask(() =>
      lasts
        ? client.set(this.#nameOf(key), value, 'NX')
        : client.set(this.#nameOf(key), value, 'EX', passingS, 'NX'),
    )
  }

  async find(keys: readonly string[]): Promise<ReadonlyMap<string, StoredOwner>> {
    const values = await this.#link.ask(() => this.#link.client.mget(keys.map((key) => this.#nameOf(key))))
    const found = new Map<string, StoredOwner>()
    for (const [index, key] of keys.entries()) {
      const [nodeId, connection] = values?.[index]?.split(separator) ?? []
      if (nodeId !== undefined && connection !== undefined) found.set(key, { nodeId, connection })
    }
    return found
  }

  forget(key: string): void {
    void this.#link.ask(() => this.#link.client.del(this.#nameOf(key)))
  }

  #nameOf(key: string): string {
    return this.#link.key('stored', key)
  }
}
