import type { StateDocument } from '@signalbox/sdk/contract'
import { keyIndexRoot } from '@signalbox/sdk/node'
import type { Queryable } from '../db/connect.ts'
import { storeBlobs } from '../stores/blobs.ts'
import {
  type IndexedKeys,
  type KeyFingerprint,
  loadKeyFingerprints,
  loadKeyRows,
  loadKeyShards,
  type StoredShard,
  storeKeyShards,
} from '../stores/key-shards.ts'
import { encodeKeyShard, groupByPrefix, keyPrefixLength } from './key-shards.ts'

/** Shards that are read and written together; bounds the memory of a first build over many keys. */
const shardsPerReadMax = 64

export interface BuiltKeyIndex {
  readonly keys: StateDocument['keys']
  /** How many shards had to be read and written. */
  readonly rewritten: number
}

/**
 * Builds the key index of an environment and stores its shards. A shard is read, encoded and written again only where
 * a fingerprint, computed in the database, says that it is another. Runs under the lock of the state document.
 */
export async function buildKeyIndex(q: Queryable, keys: IndexedKeys, nowMs: number): Promise<BuiltKeyIndex> {
  const stored = new Map((await loadKeyShards(q, keys)).map((shard) => [shard.prefix, shard]))
  const [known = ''] = stored.keys()
  const { prefixLength, fingerprints } = await loadFingerprints(q, keys, known.length)
  const shards = new Map<string, StoredShard>()
  const changed: ChangedShard[] = []
  for (const { prefix, count, fingerprint } of fingerprints) {
    const shard = stored.get(prefix)
    if (shard?.fingerprint === fingerprint && shard.keys === count) shards.set(prefix, shard)
    else changed.push({ prefix, fingerprint })
  }
  for (let start = 0; start < changed.length; start += shardsPerReadMax) {
    const part = changed.slice(start, start + shardsPerReadMax)
    const written = await writeShards(q, keys, { prefixLength, part, nowMs })
    await storeKeyShards(q, keys, { written, removed: [] })
    for (const shard of written) shards.set(shard.prefix, shard)
  }
  const removed = [...stored.keys()].filter((prefix) => !shards.has(prefix))
  await storeKeyShards(q, keys, { written: [], removed })
  return { keys: describeIndex(prefixLength, [...shards.values()]), rewritten: changed.length }
}

/** Fingerprints of the shards; `expectedLength` is what the prefixes had last time, and mostly still have. */
async function loadFingerprints(
  q: Queryable,
  keys: IndexedKeys,
  expectedLength: number,
): Promise<{ prefixLength: number; fingerprints: KeyFingerprint[] }> {
  const fingerprints = await loadKeyFingerprints(q, keys, expectedLength)
  const prefixLength = keyPrefixLength(fingerprints.reduce((sum, each) => sum + each.count, 0))
  if (prefixLength === expectedLength) return { prefixLength, fingerprints }
  return { prefixLength, fingerprints: await loadKeyFingerprints(q, keys, prefixLength) }
}

interface ChangedShard {
  readonly prefix: string
  readonly fingerprint: string
}

async function writeShards(
  q: Queryable,
  keys: IndexedKeys,
  { prefixLength, part, nowMs }: { prefixLength: number; part: readonly ChangedShard[]; nowMs: number },
): Promise<StoredShard[]> {
  const rows = await loadKeyRows(q, keys, { prefixLength, prefixes: part.map(({ prefix }) => prefix) })
  const groups = groupByPrefix(rows, prefixLength)
  const encoded = part.flatMap(({ prefix, fingerprint }) => {
    const group = groups.get(prefix)
    return group === undefined ? [] : [{ ...encodeKeyShard(prefix, group), fingerprint }]
  })
  await storeBlobs(q, keys.organisationId, new Map(encoded.map((each) => [each.digest, each.bytes])), nowMs)
  return encoded.map(({ prefix, digest, count, fingerprint }) => ({
    prefix,
    digest,
    keys: count,
    fingerprint,
  }))
}

function describeIndex(prefixLength: number, stored: readonly StoredShard[]): StateDocument['keys'] {
  const shards = stored
    .map(({ prefix, digest, keys }) => ({ prefix, digest, count: keys }))
    .sort((a, b) => (a.prefix < b.prefix ? -1 : 1))
  return {
    format: 'kidx/1',
    count: shards.reduce((sum, shard) => sum + shard.count, 0),
    prefixLength,
    root: keyIndexRoot(shards.map((shard) => shard.digest)),
    shards,
  }
}
