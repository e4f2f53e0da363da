/**
 * A million keys in the gateway's index: memory and look-up, and what one changed shard costs. `npm run soak` runs it;
 * alone: `node --expose-gc test/bench/million-keys.ts [keys]`.
 */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { KeyRow, KeyScopes } from '@signalbox/sdk/contract'
import { encodeKeyShard, groupByPrefix, keyPrefixLength } from '../../control-plane/documents/key-shards.ts'
import { BlobStore } from '../../gateway/documents/blob-store.ts'
import { loadKeyIndex } from '../../gateway/documents/key-index.ts'

const count = Number(process.argv[2] ?? 1_000_000)
/** Kinds of scopes that an organisation of this size might have. */
const kinds = 500
const lookUps = 200_000

const hex = (index: number): string => index.toString(16).padStart(12, '0')
const scopesOf = (kind: number): KeyScopes => ({
  models: [`alias-${kind}`, 'openai/*'],
  ipRanges: ['10.0.0.0/8'],
})
const hashOf = (index: number): string => createHash('sha256').update(`key ${index}`).digest('hex')

function rowOf(index: number): KeyRow {
  return {
    hash: hashOf(index),
    id: `01990000-0000-7000-8000-${hex(index)}`,
    node: `01990000-0000-7000-9000-${hex(index % 2000)}`,
    name: `key ${index}`,
    expiresMs: index % 3 === 0 ? 1_900_000_000_000 : null,
    ...(index % 2 === 0 && { scopes: scopesOf(index % kinds) }),
  }
}

function encode(rows: readonly KeyRow[], prefixLength: number) {
  const blobs = new Map<string, Buffer>()
  const shards = [...groupByPrefix(rows, prefixLength)].map(([prefix, group]) => {
    const shard = encodeKeyShard(prefix, group)
    blobs.set(shard.digest, Buffer.from(shard.bytes))
    return { prefix, digest: shard.digest, count: shard.count }
  })
  const keys = { format: 'kidx/1', count: rows.length, prefixLength, root: '', shards } as const
  return { keys, blobs }
}

const folder = mkdtempSync(join(tmpdir(), 'signalbox-keys-'))
const memoryMiB = (): number => {
  globalThis.gc?.()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return (heapUsed + arrayBuffers) / 2 ** 20
}
const say = (text: string): void => void process.stdout.write(`${text}\n`)

try {
  const prefixLength = keyPrefixLength(count)
  const { keys, blobs } = encode(
    Array.from({ length: count }, (_, index) => rowOf(index)),
    prefixLength,
  )
  const source = {
    store: new BlobStore(folder),
    onDiskFailure: () => {},
    fetch: async (digest: string) => Buffer.from(blobs.get(digest) ?? []),
  }
  const before = memoryMiB()
  const startMs = performance.now()
  const index = await loadKeyIndex({ ...keys, shards: [...keys.shards] }, source, undefined)
  const loadMs = performance.now() - startMs
  const used = memoryMiB() - before

  const wanted = Array.from({ length: lookUps }, (_, each) => hashOf((each * 7919) % count))
  const times = new Float64Array(lookUps)
  for (const [at, hash] of wanted.entries()) {
    const beginMs = performance.now()
    const row = index.find(hash)
    times[at] = (performance.now() - beginMs) * 1000
    if (row?.hash !== hash) throw new Error(`${hash} is not found`)
  }
  times.sort()
  const changedMs = performance.now()
  const [first] = keys.shards
  if (first === undefined) throw new Error('no shard')
  await loadKeyIndex({ ...keys, shards: [...keys.shards] }, source, index)
  say(`keys ${count}, shards ${keys.shards.length}, in ${Math.round(loadMs)} ms`)
  say(`memory ${used.toFixed(0)} MiB, ${((used * 2 ** 20) / count).toFixed(0)} bytes a key`)
  say(
    `look-up µs: p50 ${times[lookUps / 2]?.toFixed(1)}, p99 ${times[Math.floor(lookUps * 0.99)]?.toFixed(1)}`,
  )
  say(`the next state, nothing changed: ${(performance.now() - changedMs).toFixed(1)} ms`)
  // 68 bytes an entry, its name, and what buffers and maps cost.
  if (used / count > 200 / 2 ** 20) throw new Error('more than 200 bytes a key')
} finally {
  rmSync(folder, { recursive: true, force: true })
}
