import { type KeyRow, keysPerSingleShardMax, type StateDocument } from '@signalbox/sdk/contract'
import { type BlobSource, forEachBlob } from './collect-blobs.ts'
import { createCompactShard, createMapShard, type KeyShard, NodeIds, ScopeTable } from './key-shard.ts'
import { Rejection } from './rejection.ts'

/** All keys of a state. */
export interface KeyIndex {
  readonly count: number
  /** The key of this hash (SHA-256, 64 hex digits). */
  find(hash: string): KeyRow | undefined
  /** The shards by their blob's digest: the next index takes over those that did not change. */
  readonly shards: ReadonlyMap<string, KeyShard>
  readonly nodeIds: NodeIds
  readonly scopes: ScopeTable
  readonly compact: boolean
}

/**
 * Builds the index of a state; only shards that `previous` does not hold are loaded or fetched. Up to 10,000 keys stand
 * in a map, more in sorted buffers.
 * @throws Rejection where a shard is not what the state says.
 */
export async function loadKeyIndex(
  keys: StateDocument['keys'],
  source: BlobSource,
  previous: KeyIndex | undefined,
): Promise<KeyIndex> {
  const compact = keys.count > keysPerSingleShardMax
  const reusable = previous?.compact === compact ? previous : undefined
  const nodeIds = reusable?.nodeIds ?? new NodeIds()
  const scopes = reusable?.scopes ?? new ScopeTable()
  const shards = new Map<string, KeyShard>()
  const missing = new Map<string, string>()
  for (const { digest, prefix } of keys.shards) {
    const known = reusable?.shards.get(digest)
    if (known === undefined) missing.set(digest, prefix)
    else shards.set(digest, known)
  }
  const decode = (bytes: Buffer, prefix: string): KeyShard =>
    compact ? createCompactShard(bytes, prefix, nodeIds, scopes) : createMapShard(bytes, prefix, scopes)
  await forEachBlob([...missing.keys()], source, (digest, bytes) => {
    shards.set(digest, decode(bytes, missing.get(digest) ?? ''))
  })
  return { count: keys.count, find: finderOf(keys, shards), shards, nodeIds, scopes, compact }
}

function finderOf(keys: StateDocument['keys'], shards: ReadonlyMap<string, KeyShard>): KeyIndex['find'] {
  const byPrefix = new Map<string, KeyShard>()
  for (const { prefix, digest, count } of keys.shards) {
    const shard = shards.get(digest)
    if (shard?.count !== count) throw new Rejection(`the key shard "${prefix}" does not hold ${count} keys`)
    byPrefix.set(prefix, shard)
  }
  return (hash) => byPrefix.get(hash.slice(0, keys.prefixLength))?.find(hash)
}
