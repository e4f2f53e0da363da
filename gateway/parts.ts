import type { AddressRanges, Logger } from '@signalbox/sdk/node'
import type { BatchKeeper } from './batches/batch-keeper.ts'
import type { AnswerCache } from './cache/answer-cache.ts'
import type { AccessTokens } from './credentials/access-tokens.ts'
import type { KeyPools } from './credentials/key-pools.ts'
import type { Dialect } from './dialect.ts'
import type { EndedCalls } from './ended-calls.ts'
import type { HealthBoard } from './health/health-board.ts'
import type { Limits } from './limits/limits.ts'
import type { Money } from './money/money.ts'
import type { Provider } from './provider.ts'
import type { RedisLink } from './redis/redis-link.ts'
import type { Tripwires } from './rollouts/tripwires.ts'
import type { SnapshotSource } from './snapshot.ts'
import type { AttemptDefaults } from './steps/attempt.ts'
import type { StoredIds } from './stored-ids.ts'
import type { CallSpanIds } from './telemetry/telemetry.ts'
import type { Dispatch, Upstream } from './upstream/upstream.ts'

/** Who this gateway is. */
export interface GatewayIdentity {
  readonly gatewayId: string
  /** New at every boot. */
  readonly incarnation: string
  /** Region that policies read; empty where none is set. */
  readonly region: string
}

/** Everything that the way of a call is built from; `main.ts` puts it together. */
export interface GatewayParts {
  readonly identity: GatewayIdentity
  readonly dialects: ReadonlyMap<string, Dialect>
  readonly providers: ReadonlyMap<string, Provider>
  readonly snapshots: SnapshotSource
  readonly ended: EndedCalls
  /** Ids for a call's span, below the caller's `traceparent` and `tracestate` where there are any. */
  readonly newSpanIds: (traceparent?: string, traceState?: string) => CallSpanIds
  readonly upstream: Upstream
  /** Tokens in place of credentials that are not sent themselves. */
  readonly accessTokens: AccessTokens
  /** Which keys of a connection with several are in use. */
  readonly keyPools: KeyPools
  /** What was seen of all targets: breakers, speed, running calls. */
  readonly health: HealthBoard
  /** Leases in hand and what attempts keep of them. */
  readonly money: Money
  /** Admission by rate and concurrency. */
  readonly limits: Limits
  /** Ends candidates whose policies fail; undefined where none can be. */
  readonly tripwires?: Tripwires | undefined
  /** Answers of earlier calls. */
  readonly answers: AnswerCache
  /** Redis or Valkey; undefined where this gateway shares nothing. */
  readonly sharedStore?: RedisLink | undefined
  /** Who owns what providers keep. */
  readonly storedIds: StoredIds
  /** Jobs that outlive their calls; undefined where no control plane can keep them. */
  readonly batches?: BatchKeeper | undefined
  /** Answers for connections that are simulated. */
  readonly simulate: Dispatch
  /** Milliseconds since 1970-01-01 UTC, with fractions. */
  readonly clock: () => number
  /** An unsigned 32-bit random number. */
  readonly random: () => number
  /** A new id (UUIDv7). */
  readonly createId: () => string
  readonly log: Logger
  /** Whose word of where a request comes from is believed. */
  readonly proxies?: AddressRanges | undefined
  readonly attemptDefaults: AttemptDefaults
  readonly bodyBytesMax: number
}
