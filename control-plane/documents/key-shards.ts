import { type KeyRow, keysPerSingleShardMax } from '@signalbox/sdk/contract'
import { digestOf } from '@signalbox/sdk/node'

/** What a shard aims at once there is more than one. */
const keysPerShardAim = 250
const prefixLengthMax = 8

/** One blob of the key index: the keys whose hash starts with `prefix`. */
export interface KeyShard {
  readonly prefix: string
  readonly digest: string
  readonly count: number
}
export interface EncodedKeyShard extends KeyShard {
  readonly bytes: Uint8Array
}

/**
 * Hex digits of the key hash that name a shard: 0 (one shard) up to 10,000 keys; above that as many as bring a shard
 * nearest to 250 keys, on a logarithmic scale (a digit is a factor of 16, so shards hold 63 to 1,000).
 */
export function keyPrefixLength(count: number): number {
  if (count <= keysPerSingleShardMax) return 0
  const digits = Math.round(Math.log(count / keysPerShardAim) / Math.log(16))
  return Math.min(prefixLengthMax, Math.max(1, digits))
}

/** NDJSON of the rows in the order of their hashes. The same rows always give the same bytes. */
export function encodeKeyShard(prefix: string, rows: readonly KeyRow[]): EncodedKeyShard {
  const sorted = [...rows].sort((a, b) => (a.hash < b.hash ? -1 : a.hash > b.hash ? 1 : 0))
  const lines = sorted.map(({ hash, id, node, name, expiresMs, scopes }) =>
    JSON.stringify({ hash, id, node, name, expiresMs, ...(scopes !== undefined && { scopes }) }),
  )
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''), 'utf8')
  return { prefix, digest: digestOf(bytes), count: rows.length, bytes }
}

/** Rows by the first `prefixLength` digits of their hash, in prefix order. */
export function groupByPrefix(rows: readonly KeyRow[], prefixLength: number): Map<string, KeyRow[]> {
  const groups = new Map<string, KeyRow[]>()
  for (const row of rows) {
    const prefix = row.hash.slice(0, prefixLength)
    const group = groups.get(prefix)
    if (group === undefined) groups.set(prefix, [row])
    else group.push(row)
  }
  return new Map([...groups].sort(([a], [b]) => (a < b ? -1 : 1)))
}
