import { credentialOf } from '../credentials/credential-of.ts'
import type { GatewayParts } from '../parts.ts'
import type { Snapshot } from '../snapshot.ts'
import { openAttempt } from '../steps/attempt.ts'
import { serving, targetsOf } from '../targets.ts'
import { beginAttempt, beginTrail } from '../trail.ts'
import type { Exchange } from '../upstream/exchange.ts'
import { messageBatches } from '../wire/anthropic-messages/batches.ts'
import { openAiCollections } from '../wire/openai-operations/stored-collections.ts'
import { decodeStored, type StoredCollection } from '../wire/stored-collection.ts'

/** What providers keep that is read beside any call. */
const collections = { ...openAiCollections, messages: messageBatches } as const
export type KeptCollection = keyof typeof collections

/** Where something is kept. */
export interface KeptAt {
  readonly connection: string
  readonly collection: KeptCollection
  /** The path as callers would write it: `/v1/files/file-1/content`. */
  readonly path: string
}
/** The version that `messages` are read in, where no caller names one. */
const anthropicVersion = '2023-06-01'

/**
 * Reads what a provider keeps: through the connection that keeps it, with its credential, for nobody in particular.
 * Reading costs nothing. The answer's head has come.
 * @throws Error where the connection is not there or answers nothing.
 */
export async function askConnection(
  kept: KeptAt,
  snapshot: Snapshot,
  parts: GatewayParts,
): Promise<Exchange> {
  const { connection, path } = kept
  const collection: StoredCollection = collections[kept.collection]
  const head = { method: 'GET', url: path, headers: { 'anthropic-version': anthropicVersion } }
  const call = decodeStored(Buffer.alloc(0), {}, head, collection)
  const found = targetsOf(snapshot, parts.providers).find(`${connection}/${collection.name}`)
  if (found === undefined || found.connection.status === 'unavailable') {
    throw new Error(`the connection ${connection} cannot be used`)
  }
  const target = serving(found, call)
  const { upstream, money, simulate, clock, attemptDefaults: defaults, accessTokens, keyPools } = parts
  const nowMs = clock()
  const pool = target.connection.pool ?? []
  const key = keyPools.pick(connection, pool, nowMs)
  const trail = beginTrail({ id: '', startMs: nowMs, dialect: call.dialect, operation: call.operation })
  const open = await openAttempt(
    {
      credential: key ?? (await credentialOf(target, accessTokens)),
      ...{ call, target, caps: {}, fidelity: 'lossy', headers: {} },
      trail: beginAttempt(trail, target, nowMs),
      node: { target: target.name },
      account: { callId: '', budgets: [], capLeft: undefined },
      isWanted: () => true,
      deadlineMs: Number.POSITIVE_INFINITY,
    },
    { upstream, money, simulate, clock, defaults },
  )
  const failure = await open.exchange.head
  if (failure !== undefined) throw new Error(`${failure.kind}: ${failure.detail}`)
  return open.exchange
}
