import type { BodyOf, gatewayOperations, ReplyOf } from '@signalbox/sdk/contract'
import type { SharedOwners, StoredOwner } from './stored-ids.ts'

type NoteBody = BodyOf<(typeof gatewayOperations)['gatewayNoteStored']>
type FindReply = ReplyOf<(typeof gatewayOperations)['gatewayFindStored']>
/** The control plane, as it is told and asked of stored things. */
export interface StoredLink {
  noteStored(body: NoteBody, signal: AbortSignal): Promise<void>
  findStored(keys: readonly string[], signal: AbortSignal): Promise<FindReply>
}

/** Of one request; and how many wait at most: what is beyond that only this gateway knows. */
const batchMax = 500
const waitingMax = 20_000
const noteTimeoutMs = 5000
const findTimeoutMs = 2000
/** Between two tries while the control plane is away. */
const retryMs = 2000

/**
 * Owners of what providers keep, at the control plane: told in the background and in order, asked where a call needs
 * it.
 */
export class ControlPlaneOwners implements SharedOwners {
  readonly #link: StoredLink
  readonly #waiting = new Map<
    string,
    { readonly owner: StoredOwner; readonly lasts: boolean } | 'forgotten'
  >()
  #timer: NodeJS.Timeout | undefined
  #isSending = false
  #isClosed = false

  constructor(link: StoredLink) {
    this.#link = link
  }

  note(key: string, owner: StoredOwner, lasts: boolean): void {
    if (this.#waiting.size < waitingMax) this.#waiting.set(key, { owner, lasts })
    this.#send()
  }

  forget(key: string): void {
    this.#waiting.set(key, 'forgotten')
    this.#send()
  }

  async find(keys: readonly string[]): Promise<ReadonlyMap<string, StoredOwner> | undefined> {
    const found = new Map<string, StoredOwner>()
    try {
      for (let at = 0; at < keys.length; at += batchMax) {
        const signal = AbortSignal.timeout(findTimeoutMs)
        const { things } = await this.#link.findStored(keys.slice(at, at + batchMax), signal)
        for (const { key, nodeId, connection } of things) found.set(key, { nodeId, connection })
      }
    } catch {
      // With the control plane away nobody here knows of what others made.
      return undefined
    }
    return found
  }

  /** Tells what waits, once, and no more after it. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    if (this.#waiting.size > 0 && !this.#isSending) await this.#sendBatch().catch(() => undefined)
  }

  #send(afterMs = 0): void {
    if (this.#isSending || this.#isClosed || this.#timer !== undefined) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#isSending = true
      this.#sendBatch().then(
        () => this.#goOn(0),
        () => this.#goOn(retryMs),
      )
    }, afterMs)
    this.#timer.unref()
  }

  #goOn(afterMs: number): void {
    this.#isSending = false
    if (this.#waiting.size > 0) this.#send(afterMs)
  }

  async #sendBatch(): Promise<void> {
    const batch = [...this.#waiting].slice(0, batchMax)
    const things = batch.flatMap(([key, each]) =>
      each === 'forgotten' ? [] : [{ key, ...each.owner, lasts: each.lasts }],
    )
    const forgotten = batch.flatMap(([key, each]) => (each === 'forgotten' ? [key] : []))
    await this.#link.noteStored({ things, forgotten }, AbortSignal.timeout(noteTimeoutMs))
    for (const [key, each] of batch) if (this.#waiting.get(key) === each) this.#waiting.delete(key)
  }
}
