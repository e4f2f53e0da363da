import { hash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { Refusal } from '@signalbox/sdk/contract'

/** Whose a thing at a provider is, and where it is kept. */
export interface StoredOwner {
  /** Node of the key that made it. */
  readonly nodeId: string
  /** Name of the connection whose upstream keeps it. */
  readonly connection: string
}
/** What gateways know together of what providers keep, by the hash of its id. The first owner of one stays it. */
export interface SharedOwners {
  /** Says it in the background. `lasts`: no provider forgets it by itself. */
  note(key: string, owner: StoredOwner, lasts: boolean): void
  /** Undefined where it cannot be found out now: nothing is known of any of them. */
  find(keys: readonly string[]): Promise<ReadonlyMap<string, StoredOwner> | undefined>
  forget(key: string): void
}

/** About 30 MB; the oldest make room. */
const storedIdsMax = 200_000
/** Another gateway may have answered its caller a moment before all know what was made. */
const secondLookMs = 150
/** When a caller may ask again whose a thing is. */
const askAgainS = 1
/** Answers and what stands in them are forgotten by the provider after a while, as are Google's files and uploads. */
const passing =
  /^(?:(?:resp|msg|rs|fc|ctc|ws|fs|ci|ig|mcp|mcpl|mcpr|cu|lsh|lsho|sh|sho|apc|apco|ctco)_|files\/|uploads\/)/

/**
 * Who owns what providers keep: hash of the provider's id → owner. What this gateway knows is in memory; what others
 * made it learns from what they share.
 */
export class StoredIds {
  readonly #owners = new Map<string, StoredOwner>()
  readonly #idsMax: number
  readonly #shared: SharedOwners | undefined

  constructor(options: { readonly idsMax?: number; readonly shared?: SharedOwners | undefined } = {}) {
    this.#idsMax = options.idsMax ?? storedIdsMax
    this.#shared = options.shared
  }

  /** Notes an id; the first owner of one stays it. */
  note(id: string, owner: StoredOwner): void {
    const key = keyOf(id)
    if (!this.#owners.has(key)) this.#shared?.note(key, owner, !passing.test(id))
    this.#keep(key, this.#owners.get(key) ?? owner)
  }

  /**
   * Asks the others for ids that nobody here knows, so that `find` does.
   * @param options.again looks a second time for what nobody knows yet; not for lists, full of others' things.
   * @throws Refusal `not_ready` where it cannot be found out whose they are: that is no word on whether they exist.
   */
  async learn(ids: readonly string[], options: { readonly again?: boolean } = {}): Promise<void> {
    const shared = this.#shared
    if (shared === undefined || ids.length === 0) return
    const missing = (): string[] => ids.map(keyOf).filter((key) => !this.#owners.has(key))
    const look = async (): Promise<boolean> => {
      const keys = missing()
      if (keys.length === 0) return true
      const found = await shared.find(keys)
      for (const [key, owner] of found ?? []) this.#keep(key, owner)
      return found !== undefined
    }
    const wasTold = await look()
    if (options.again !== true || missing().length === 0) return
    await delay(secondLookMs)
    const isTold = await look()
    if (!wasTold && !isTold) throw awayRefusal()
  }

  find(id: string): StoredOwner | undefined {
    return this.#owners.get(keyOf(id))
  }

  forget(id: string): void {
    const key = keyOf(id)
    this.#owners.delete(key)
    this.#shared?.forget(key)
  }

  #keep(key: string, owner: StoredOwner): void {
    this.#owners.delete(key)
    this.#owners.set(key, owner)
    if (this.#owners.size <= this.#idsMax) return
    for (const oldest of this.#owners.keys()) {
      this.#owners.delete(oldest)
      break
    }
  }
}

/** Nobody can say now whose a thing is: what the gateways share does not answer. */
function awayRefusal(): Refusal {
  const message =
    'Whose the named stored thing is cannot be found out now: what the gateways share does not answer. Try again.'
  return new Refusal('not_ready', { message, retryAfterS: askAgainS })
}

const keyOf = (id: string): string => hash('sha256', id, 'base64url')
