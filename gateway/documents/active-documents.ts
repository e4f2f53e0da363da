import { Refusal, type RootDocument } from '@signalbox/sdk/contract'
import type { Clock } from '../clock.ts'
import type { CredentialSources } from '../credentials/resolve-credential.ts'
import { type OpenedCredentials, Secrets } from '../credentials/sealed-credentials.ts'
import type { ConnectionState, Snapshot, SnapshotSource } from '../snapshot.ts'
import type { ActiveRelease } from './active-release.ts'
import type { ActiveState } from './active-state.ts'
import { buildSnapshot } from './release-snapshot.ts'
import { sameConnections } from './resolve-connections.ts'

/** A state that the control plane has not confirmed for this long is `degraded`: four of its pings are missing. */
export const degradedAfterMs = 60_000

export interface ActiveDocumentsOptions {
  readonly root: RootDocument
  readonly clock: Clock
  readonly readVariable: CredentialSources['readVariable']
}

/**
 * The documents in use. Each change makes a new snapshot and puts it in place of the old one at once; a call that has
 * begun keeps the one it took.
 */
export class ActiveDocuments implements SnapshotSource {
  readonly #clock: Clock
  readonly #readVariable: CredentialSources['readVariable']
  root: RootDocument
  #release: ActiveRelease | undefined
  #state: ActiveState | undefined
  #credentials: OpenedCredentials | undefined
  /** Of the newest verified state, which may still be on its way. */
  #revoked: ReadonlySet<string> = new Set()
  #snapshot: Snapshot | undefined
  #ageMs = 0
  #agedAtMs = 0
  /** A program is given back when no snapshot of its release can be in a call's hands any more. */
  readonly #released = new FinalizationRegistry<ActiveRelease['program']>((program) => program.dispose())
  readonly #releaseOf = new WeakMap<Snapshot, ActiveRelease>()

  constructor(options: ActiveDocumentsOptions) {
    this.root = options.root
    this.#clock = options.clock
    this.#readVariable = options.readVariable
  }

  get release(): ActiveRelease | undefined {
    return this.#release
  }

  get state(): ActiveState | undefined {
    return this.#state
  }

  get credentials(): OpenedCredentials | undefined {
    return this.#credentials
  }

  setRelease(release: ActiveRelease): void {
    this.#release = release
    this.#released.register(release, release.program)
    this.#rebuild()
  }

  setState(state: ActiveState): void {
    this.#state = state
    this.#revoked = state.revoked
    this.#rebuild()
  }

  setCredentials(credentials: OpenedCredentials): void {
    this.#credentials = credentials
    this.#rebuild()
  }

  /** Revocations of a verified state take effect before the rest of it is here. */
  revoke(hashes: readonly string[]): void {
    const added = hashes.filter((hash) => !this.#revoked.has(hash))
    if (added.length === 0) return
    this.#revoked = new Set([...this.#revoked, ...added])
    this.#rebuild()
  }

  /** Reads credential files again; they are replaced while a gateway runs. */
  refreshConnections(): void {
    const before = this.#snapshot
    this.#rebuild()
    if (before === undefined || this.#snapshot === undefined) return
    if (sameConnections(before.connections, this.#snapshot.connections)) this.#snapshot = before
  }

  /** The gateway turned out to be another one than the documents are for. */
  clear(): void {
    this.#release = undefined
    this.#state = undefined
    this.#credentials = undefined
    this.#revoked = new Set()
    this.#snapshot = undefined
  }

  #rebuild(): void {
    if (this.#release === undefined || this.#state === undefined) return
    const secrets = this.#credentials?.secrets ?? new Secrets()
    const snapshot = buildSnapshot(this.#release, this.#state, {
      sources: { readVariable: this.#readVariable, secrets },
      revoked: this.#revoked,
    })
    this.#releaseOf.set(snapshot, this.#release)
    this.#snapshot = snapshot
  }

  /** Says how old the state was, at this moment: 0 when the control plane just said that it is the newest. */
  setStateAge(ageMs: number): void {
    this.#ageMs = ageMs
    this.#agedAtMs = this.#clock.monotonicMs()
  }

  /** Since when nobody confirmed the state, in milliseconds. Jumps of the machine's clock do not change it. */
  stateAgeMs(): number {
    return this.#ageMs + this.#clock.monotonicMs() - this.#agedAtMs
  }

  degraded(): boolean {
    return this.stateAgeMs() > degradedAfterMs
  }

  /** What is missing before calls can be served; empty where nothing is. */
  missing(): ('release' | 'state' | 'fresh state')[] {
    if (this.#release === undefined) return this.#state === undefined ? ['release', 'state'] : ['release']
    if (this.#state === undefined) return ['state']
    const ageMsMax = this.#state.document.stateAgeMsMax
    return ageMsMax > 0 && this.stateAgeMs() > ageMsMax ? ['fresh state'] : []
  }

  current(): Snapshot {
    const missing = this.missing()
    if (this.#snapshot !== undefined && missing.length === 0) return this.#snapshot
    throw new Refusal('not_ready', { detail: `missing: ${missing.join(', ')}` })
  }

  connectionStates(): Record<string, ConnectionState> | undefined {
    if (this.#snapshot === undefined) return undefined
    return Object.fromEntries([...this.#snapshot.connections].map(([name, { status }]) => [name, status]))
  }
}
