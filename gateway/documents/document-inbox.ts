import type { DocumentKind } from '@signalbox/sdk/contract'
import type { Acknowledger } from './acknowledger.ts'
import { ControlPlaneError } from './control-plane-error.ts'
import type { ControlPlaneLink, OfferedDocument } from './control-plane-link.ts'
import type { Identity } from './document-store.ts'
import { reasonOf } from './rejection.ts'
import { removeUnusedBlobs, type Taker, takeDocument } from './take-document.ts'

type NewDocument = Extract<OfferedDocument, { found: 'new' }>

/** Documents that come another way than from the control plane. */
export interface OtherSource {
  readonly fetchBlob: (digest: string) => Promise<Buffer>
}

export interface DocumentInboxOptions {
  readonly taker: Taker
  readonly link: ControlPlaneLink
  readonly acknowledger: Acknowledger
  readonly signal: AbortSignal
}

/** Where offered documents arrive: each is taken into use or rejected, one after the other, and the outcome is told. */
export class DocumentInbox {
  readonly #options: DocumentInboxOptions
  readonly #etags = new Map<DocumentKind, string>()
  readonly #rejected = new Set<DocumentKind>()
  /** The end of what runs: documents are taken and the disk is tidied strictly one after the other. */
  #last: Promise<unknown> = Promise.resolve()
  #diskIsTidy = false
  identity: Identity | undefined
  rejections = 0

  constructor(options: DocumentInboxOptions) {
    this.#options = options
  }

  /** The sequence in use. */
  sequenceOf(kind: DocumentKind): number | undefined {
    const { root, release, state, credentials } = this.#options.taker.active
    if (kind === 'root') return root.sequence
    if (kind === 'release') return release?.document.sequence
    return kind === 'state' ? state?.document.sequence : credentials?.head.document.sequence
  }

  /** Of the newest document that was seen, whether it was taken or rejected. */
  etagOf(kind: DocumentKind): string | undefined {
    return this.#etags.get(kind)
  }

  /** Forgets everything that was said of the documents of another gateway. */
  clear(): void {
    this.#etags.clear()
    this.#rejected.clear()
    this.#options.taker.active.clear()
  }

  /** Takes a document from the disk; one that will not do is left out and logged. */
  async load(kind: DocumentKind, text: string | undefined, identity: Identity): Promise<void> {
    const { taker } = this.#options
    if (text === undefined) return
    try {
      await takeDocument(kind, taker, { text, origin: 'disk', identity })
      this.#etags.set(kind, `"${kind}-${this.sequenceOf(kind)}"`)
    } catch (error) {
      taker.log.warn({ kind, reason: reasonOf(error) }, 'a document on the disk was refused')
    }
  }

  /** Asks for a document and receives it. Throws a ControlPlaneError where the control plane cannot be reached. */
  async sync(kind: DocumentKind): Promise<void> {
    const { link, signal } = this.#options
    await this.receive(kind, await link.document(kind, { etag: this.#etags.get(kind), signal }))
  }

  /** Takes a document from a mirror, where it is newer than what is in use. */
  async receiveFrom(source: OtherSource, kind: 'root' | 'release' | 'state', text: string): Promise<void> {
    const { identity } = this
    const claimed = claimedIn(text)
    const isKnown = claimed !== undefined && claimed <= (this.sequenceOf(kind) ?? 0)
    if (identity === undefined || isKnown) return
    await this.#serially(async () => {
      const { taker } = this.#options
      try {
        await takeDocument(kind, taker, { text, origin: source, identity })
        this.#diskIsTidy = false
        taker.log.info({ kind, sequence: this.sequenceOf(kind) }, 'document taken from the mirror')
        this.acknowledge(kind)
      } catch (error) {
        this.#reject(kind, { text, etag: undefined, error })
      }
    })
  }

  /** What the control plane answered. Throws a ControlPlaneError where it went away in the middle. */
  async receive(kind: DocumentKind, offered: OfferedDocument): Promise<void> {
    if (offered.found === 'new') await this.#serially(() => this.#take(kind, offered))
    else if (offered.found === 'same' && kind === 'state' && !this.#rejected.has(kind)) {
      this.confirmState(this.sequenceOf(kind) ?? 0)
    }
  }

  /** The control plane says, now, that this sequence is the newest state. */
  confirmState(sequence: number): void {
    const { active } = this.#options.taker
    if (active.state?.document.sequence === sequence) active.setStateAge(0)
  }

  /** Says again what is in use. */
  acknowledge(kind: DocumentKind): void {
    const { taker, acknowledger } = this.#options
    const sequence = this.sequenceOf(kind)
    if (sequence === undefined) return
    const connections = taker.active.connectionStates()
    const known = connections === undefined ? {} : { connections }
    acknowledger.tell({ kind, sequence, result: 'active', ...known })
  }

  /** Tries what was rejected once more: a blob may have been damaged on the way only. */
  async retryRejected(): Promise<void> {
    for (const kind of [...this.#rejected]) {
      this.#etags.delete(kind)
      await this.sync(kind)
    }
  }

  /** Removes blobs that no document needs any more. */
  async tidyDisk(): Promise<void> {
    if (this.#diskIsTidy) return
    await this.#serially(() => removeUnusedBlobs(this.#options.taker))
    this.#diskIsTidy = true
  }

  async #serially<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => {})
    return await done
  }

  async #take(kind: DocumentKind, { text, etag }: NewDocument): Promise<void> {
    const { taker, link, signal } = this.#options
    const { identity } = this
    if (identity === undefined) throw new Error('a document came before the hello')
    const origin = { fetchBlob: (digest: string) => link.blob(digest, signal) }
    try {
      if (kind === 'root') await this.#catchUp(sequenceIn(text), identity)
      const taken = await takeDocument(kind, taker, { text, origin, identity })
      const sequence = this.sequenceOf(kind) ?? 0
      this.#rejected.delete(kind)
      this.#etags.set(kind, etag ?? `"${kind}-${sequence}"`)
      if (kind === 'state') this.confirmState(sequence)
      if (taken === 'taken') {
        this.#diskIsTidy = false
        taker.log.info({ kind, sequence }, 'document taken into use')
      }
      this.acknowledge(kind)
    } catch (error) {
      if (error instanceof ControlPlaneError) throw error
      this.#reject(kind, { text, etag, error })
    }
  }

  /** Each root vouches for the next alone: those between the one in use and the newest are taken first. */
  async #catchUp(newest: number, identity: Identity): Promise<void> {
    const { taker, link, signal } = this.#options
    for (let next = taker.active.root.sequence + 1; next < newest; next++) {
      const step = await link.document('root', { sequence: next, signal })
      if (step.found !== 'new') return
      await takeDocument('root', taker, { text: step.text, origin: { fetchBlob: noBlob }, identity })
    }
  }

  #reject(kind: DocumentKind, refused: { text: string; etag: string | undefined; error: unknown }): void {
    const { taker, acknowledger } = this.#options
    const reason = reasonOf(refused.error)
    const sequence = sequenceIn(refused.text)
    this.rejections++
    this.#rejected.add(kind)
    if (refused.etag !== undefined) this.#etags.set(kind, refused.etag)
    taker.log.error({ kind, sequence, reason }, 'document rejected; the last good one stays')
    acknowledger.tell({ kind, sequence, result: 'rejected', error: reason })
  }
}

const noBlob = (): Promise<Buffer> => Promise.reject(new Error('a root names no blobs'))

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

/** The sequence that a rejected document claims, for the acknowledgement alone; 1 where it claims none. */
const sequenceIn = (text: string): number => claimedIn(text) ?? 1

/** The sequence that a document claims, before anything of it is believed. */
function claimedIn(text: string): number | undefined {
  try {
    const outer: unknown = JSON.parse(text)
    const payload = memberOf(outer, 'payload')
    const sequence = memberOf(typeof payload === 'string' ? JSON.parse(payload) : outer, 'sequence')
    return typeof sequence === 'number' && Number.isSafeInteger(sequence) && sequence > 0
      ? sequence
      : undefined
  } catch {
    return undefined
  }
}
