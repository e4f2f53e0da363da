import { setTimeout as wait } from 'node:timers/promises'
import { type DocumentKind, documentKinds, type RootDocument } from '@signalbox/sdk/contract'
import type { Snapshot, SnapshotSource } from '../snapshot.ts'
import { Acknowledger } from './acknowledger.ts'
import { ActiveDocuments } from './active-documents.ts'
import { Backoff } from './backoff.ts'
import { ControlPlaneError } from './control-plane-error.ts'
import type { ControlPlaneLink } from './control-plane-link.ts'
import { DocumentInbox } from './document-inbox.ts'
import type { Identity } from './document-store.ts'
import { type DocumentTimes, standardDocumentTimes } from './document-times.ts'
import type { Mirror } from './mirror.ts'
import { reasonOf } from './rejection.ts'
import type { Taker } from './take-document.ts'
import { followEvents, followPolls, isRefusal, syncAll } from './watch-control-plane.ts'

export interface DocumentsOptions extends Omit<Taker, 'active'> {
  readonly link: ControlPlaneLink
  /** The pinned root; newer ones follow from it. */
  readonly root: RootDocument
  readonly readVariable: (name: string) => string | undefined
  /** This run of the gateway. */
  readonly incarnation: string
  /** Name and version of this program. */
  readonly software: string
  readonly random: () => number
  /** Where documents are had while the control plane is away. */
  readonly mirror?: Mirror | undefined
  /** Not ready before a release of at least this sequence is in use: the one of the start that began this gateway. */
  readonly releaseSequenceMin?: number | undefined
  readonly times?: DocumentTimes
}
/** Event streams that bring nothing, in a row, before polls are tried. */
const emptyStreamsMax = 2
const clockSkewMsMax = 60_000
/** Id of a gateway that the control plane has not named yet. */
const unnamed = '00000000-0000-0000-0000-000000000000'

/** What metrics and the readiness door say of the documents. */
export interface DocumentStatus {
  /** 0 where there is none. */
  readonly sequences: Readonly<Record<DocumentKind, number>>
  readonly stateAgeMs: number
  readonly degraded: boolean
  readonly connected: boolean
  readonly rejections: number
}

/**
 * The documents a gateway runs: loaded from the disk at the start, then kept up to date with the control plane. While
 * it is away, what is here stays in use.
 */
export class Documents implements SnapshotSource {
  readonly #options: DocumentsOptions
  readonly #times: DocumentTimes
  readonly #active: ActiveDocuments
  readonly #acknowledger: Acknowledger
  readonly #inbox: DocumentInbox
  readonly #stop = new AbortController()
  #running: Promise<unknown> | undefined
  #connected = false
  /** When the first word of the control plane began to be waited for; undefined before that and once it came. */
  #contactAwaitedAtMs: number | undefined
  #lastFailure = ''
  #mirrorDueMs = 0

  constructor(options: DocumentsOptions) {
    this.#options = options
    this.#times = options.times ?? standardDocumentTimes
    this.#active = new ActiveDocuments(options)
    const { signal } = this.#stop
    this.#acknowledger = new Acknowledger({
      ...options,
      signal,
      backoffBaseMs: this.#times.backoffBaseMs,
    })
    const taker = { ...options, active: this.#active }
    this.#inbox = new DocumentInbox({
      taker,
      link: options.link,
      acknowledger: this.#acknowledger,
      signal,
    })
  }

  current(): Snapshot {
    return this.#active.current()
  }

  degraded(): boolean {
    return this.#active.degraded()
  }

  /** What is missing before calls can be served; empty when ready. */
  missing(): string[] {
    return [...this.#active.missing(), ...this.awaited()]
  }

  /** What readiness waits for although calls could be served: the release of this start, and the event stream. */
  awaited(): string[] {
    const sequenceMin = this.#options.releaseSequenceMin ?? 0
    const release = this.#active.release?.document.sequence ?? 0
    const sinceMs = this.#contactAwaitedAtMs
    const isAwaited =
      sinceMs !== undefined && this.#options.clock.monotonicMs() - sinceMs < this.#times.contactMsMax
    return [
      ...(release < sequenceMin ? ['release of this start'] : []),
      ...(isAwaited ? ['control plane'] : []),
    ]
  }

  /** Who this gateway is; undefined until the control plane said it for the first time. */
  get identity(): Identity | undefined {
    return this.#inbox.identity
  }

  status(): DocumentStatus {
    const sequenceOf = (kind: DocumentKind) => this.#inbox.sequenceOf(kind) ?? 0
    return {
      sequences: {
        root: sequenceOf('root'),
        release: sequenceOf('release'),
        state: sequenceOf('state'),
        credentials: sequenceOf('credentials'),
      },
      stateAgeMs: this.#active.stateAgeMs(),
      degraded: this.degraded(),
      connected: this.#connected,
      rejections: this.#inbox.rejections,
    }
  }

  /** Takes what the disk holds, verified anew. */
  async loadFromDisk(): Promise<void> {
    const { store, clock } = this.#options
    const identity = await store.loadIdentity()
    if (identity === undefined) return
    this.#inbox.identity = identity
    for (const text of await store.loadRoots()) await this.#inbox.load('root', text, identity)
    for (const kind of ['credentials', 'state', 'release'] as const) {
      await this.#inbox.load(kind, await store.load(kind), identity)
    }
    const createdMs = this.#active.state?.document.createdMs ?? 0
    const confirmedMs = Math.max((await store.loadConfirmedMs()) ?? 0, createdMs)
    this.#active.setStateAge(Math.max(0, clock.nowMs() - confirmedMs))
  }

  /** Begins to follow the control plane; returns at once. `url`: where callers reach this gateway. */
  connect(url?: string): void {
    this.#contactAwaitedAtMs = this.#options.clock.monotonicMs()
    this.#running = Promise.all([this.#follow(url), this.#maintain()])
  }

  /** Stops following; what is in use can still be asked for. */
  async close(): Promise<void> {
    this.#stop.abort()
    await this.#running
    await this.#acknowledger.idle()
    await this.#storeConfirmation()
    await this.#options.link.close()
    await this.#options.mirror?.close()
  }

  async #follow(url: string | undefined): Promise<void> {
    const { signal } = this.#stop
    const { link, random } = this.#options
    const { backoffBaseMs, backoffMaxMs } = this.#times
    const backoff = new Backoff({ baseMs: backoffBaseMs, maxMs: backoffMaxMs, random })
    let emptyStreams = 0
    while (!signal.aborted) {
      try {
        await this.#meet(url)
        this.#connected = true
        const { events, error } = await followEvents(link, this.#inbox, signal, () => {
          this.#contactAwaitedAtMs = undefined
        })
        emptyStreams = events === 0 ? emptyStreams + 1 : 0
        if (events > 0) backoff.reset()
        if (emptyStreams >= emptyStreamsMax || isRefusal(error)) await this.#poll()
        else if (error !== undefined) throw error
      } catch (error) {
        if (!signal.aborted) this.#noteFailure(error)
        await this.#readMirror()
      }
      this.#contactAwaitedAtMs = undefined
      this.#connected = false
      await wait(backoff.nextMs(), undefined, { signal }).catch(() => {})
    }
  }

  /** The last resort: what the mirror has that is newer than what is here; its state is as old as it says. */
  async #readMirror(): Promise<void> {
    const { mirror, clock, log } = this.#options
    const nowMs = clock.monotonicMs()
    if (mirror === undefined || this.#stop.signal.aborted || nowMs < this.#mirrorDueMs) return
    this.#mirrorDueMs = nowMs + this.#times.maintenanceMs
    try {
      const { root } = this.#active
      const environment = await mirror.loadEnvironment(root)
      if (environment === undefined) throw new Error('it is not of our organisation')
      // Who has never met the control plane has no name yet; its records are named by its token.
      this.#inbox.identity ??= { gatewayId: unnamed, organisationId: root.organisationId, environment }
      const before = this.#inbox.sequenceOf('state')
      await mirror.sync(this.#inbox)
      const { state } = this.#active
      if (state !== undefined && before !== state.document.sequence) {
        this.#active.setStateAge(Math.max(0, clock.nowMs() - state.document.createdMs))
      }
    } catch (error) {
      log.warn({ reason: reasonOf(error) }, 'the mirror cannot be read')
    }
  }

  async #poll(): Promise<void> {
    const { log, link, random } = this.#options
    this.#contactAwaitedAtMs = undefined
    log.warn('no event stream gets through from the control plane; it is polled')
    const { pollsForMs: durationMs, ...times } = this.#times
    await followPolls(link, this.#inbox, { durationMs, times, random, signal: this.#stop.signal })
  }

  /** A person must act where the gateway is refused; in all other cases the control plane will be back. */
  #noteFailure(error: unknown): void {
    const { log } = this.#options
    const reason = reasonOf(error)
    const refused = error instanceof ControlPlaneError && (error.status === 401 || error.status === 403)
    if (reason === this.#lastFailure) log.debug({ reason }, 'the control plane is still away')
    else if (refused) log.error({ reason }, 'the control plane refuses this gateway')
    else log.warn({ reason }, 'the control plane is away; what is here stays in use')
    this.#lastFailure = reason
  }

  /** Hello, then everything that is newer, then word of what is in use. */
  async #meet(url: string | undefined): Promise<void> {
    const { link, incarnation, key, software, clock, log } = this.#options
    const engine = this.#options.engine.engine.digest
    const hello = {
      incarnation,
      publicKey: key.publicKey,
      software,
      engine,
      ...(url !== undefined && { url }),
    }
    const reply = await link.hello(hello, this.#stop.signal)
    const skewMs = Math.round(clock.nowMs() - reply.serverTimeMs)
    if (Math.abs(skewMs) > clockSkewMsMax) log.warn({ skewMs }, "this machine's clock is off")
    if (this.#lastFailure !== '') log.info('the control plane is back')
    this.#lastFailure = ''
    await this.#become(reply)
    for (const kind of documentKinds) this.#inbox.acknowledge(kind)
    await syncAll(this.#inbox)
  }

  /** A token of another gateway or environment: what is here is not for it. */
  async #become(identity: Identity): Promise<void> {
    const { store, log } = this.#options
    const known = this.#inbox.identity
    const same =
      known?.gatewayId === identity.gatewayId &&
      known.organisationId === identity.organisationId &&
      known.environment === identity.environment
    if (same) return
    if (known !== undefined && known.environment !== identity.environment) this.#inbox.clear()
    this.#inbox.identity = identity
    await store.storeIdentity(identity).catch((error) => log.error({ err: error }, 'the disk fails'))
  }

  async #maintain(): Promise<void> {
    const { signal } = this.#stop
    const { log } = this.#options
    for (;;) {
      await wait(this.#times.maintenanceMs, undefined, { signal }).catch(() => {})
      if (signal.aborted) return
      this.#active.refreshConnections()
      await this.#inbox.retryRejected().catch((error) => log.debug({ reason: reasonOf(error) }, 'no retry'))
      await this.#inbox.tidyDisk().catch((error) => log.warn({ err: error }, 'the disk was not tidied'))
      await this.#storeConfirmation()
    }
  }

  /** A restart while the control plane is away counts the state's age from here. */
  async #storeConfirmation(): Promise<void> {
    const { store, clock, log } = this.#options
    const ageMs = this.#active.stateAgeMs()
    if (this.#active.state === undefined || ageMs > 2 * this.#times.maintenanceMs) return
    await store
      .storeConfirmedMs(clock.nowMs() - ageMs)
      .catch((error) => log.error({ err: error }, 'the disk fails'))
  }
}
