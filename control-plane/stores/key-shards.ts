import type { KeyRow } from '@signalbox/sdk/contract'
import { and, asc, desc, eq, gt, isNull, or, sql } from 'drizzle-orm'
import type { Queryable } from '../db/connect.ts'
import { apiKey, keyShard } from '../db/schema.ts'

/** Hashes of the newest revoked keys, newest first. */
export async function loadRevokedKeys(
  q: Queryable,
  where: { organisationId: string; environment: string; sinceMs: number },
  limit: number,
): Promise<{ hash: string; revokedMs: number }[]> {
  const rows = await q
    .select({ hash: apiKey.hash, revokedMs: apiKey.revokedMs })
    .from(apiKey)
    .where(
      and(
        eq(apiKey.organisationId, where.organisationId),
        eq(apiKey.environment, where.environment),
        gt(apiKey.revokedMs, where.sinceMs),
      ),
    )
    .orderBy(desc(apiKey.revokedMs), asc(apiKey.hash))
    .limit(limit)
  return rows.map(({ hash, revokedMs }) => ({ hash, revokedMs: revokedMs ?? 0 }))
}

/** Which keys stand in shards: those that are not revoked, or were revoked after `revokedAfterMs`. */
export interface IndexedKeys {
  readonly organisationId: string
  readonly environment: string
  readonly revokedAfterMs: number
}

function indexedKeys(keys: IndexedKeys) {
  return and(
    eq(apiKey.organisationId, keys.organisationId),
    eq(apiKey.environment, keys.environment),
    or(isNull(apiKey.revokedMs), gt(apiKey.revokedMs, keys.revokedAfterMs)),
  )
}

export interface KeyFingerprint {
  readonly prefix: string
  readonly count: number
  readonly fingerprint: string
}

/**
 * Per shard: how many keys, and a sum over hashes of their rows that changes with any of them. So that one aggregate
 * in the database tells which shards to read, however many keys there are.
 */
export async function loadKeyFingerprints(
  q: Queryable,
  keys: IndexedKeys,
  prefixLength: number,
): Promise<KeyFingerprint[]> {
  const prefix = sql<string>`left(${apiKey.hash}, ${sql.raw(String(prefixLength))})`
  const line = sql`concat_ws(' ', ${apiKey.hash}, ${apiKey.nodeId}, ${apiKey.expiresMs}, ${apiKey.name})`
  return await q
    .select({
      prefix,
      count: sql<number>`count(*)::int`,
      fingerprint: sql<string>`sum(hashtextextended(${line}, 0)::numeric)::text`,
    })
    .from(apiKey)
    .where(indexedKeys(keys))
    .groupBy(sql`1`)
    .orderBy(sql`1`)
}

/** The rows of some shards, or of all keys where the prefix length is 0. */
export async function loadKeyRows(
  q: Queryable,
  keys: IndexedKeys,
  shards: { prefixLength: number; prefixes: readonly string[] },
): Promise<KeyRow[]> {
  const prefix = sql`left(${apiKey.hash}, ${sql.raw(String(shards.prefixLength))})`
  return await q
    .select({
      hash: apiKey.hash,
      id: apiKey.id,
      node: apiKey.nodeId,
      name: apiKey.name,
      expiresMs: apiKey.expiresMs,
    })
    .from(apiKey)
    .where(
      and(
        indexedKeys(keys),
        shards.prefixLength === 0 ? undefined : sql`${prefix} = any(${sql.param([...shards.prefixes])})`,
      ),
    )
}

/** A shard of the newest state, with the fingerprint of the rows it was made of. */
export interface StoredShard {
  readonly prefix: string
  readonly digest: string
  readonly keys: number
  readonly fingerprint: string
}
interface ShardOwner {
  readonly organisationId: string
  readonly environment: string
}

export async function loadKeyShards(q: Queryable, owner: ShardOwner): Promise<StoredShard[]> {
  return await q
    .select({
      prefix: keyShard.prefix,
      digest: keyShard.digest,
      keys: keyShard.keys,
      fingerprint: keyShard.fingerprint,
    })
    .from(keyShard)
    .where(
      and(eq(keyShard.organisationId, owner.organisationId), eq(keyShard.environment, owner.environment)),
    )
}

/** Replaces what is known of some shards, and forgets those of `removed`. */
export async function storeKeyShards(
  q: Queryable,
  owner: ShardOwner,
  change: { readonly written: readonly StoredShard[]; readonly removed: readonly string[] },
): Promise<void> {
  if (change.removed.length > 0) {
    await q
      .delete(keyShard)
      .where(
        and(
          eq(keyShard.organisationId, owner.organisationId),
          eq(keyShard.environment, owner.environment),
          sql`${keyShard.prefix} = any(${sql.param([...change.removed])})`,
        ),
      )
  }
  if (change.written.length === 0) return
  await q
    .insert(keyShard)
    .values(change.written.map((shard) => ({ ...owner, ...shard })))
    .onConflictDoUpdate({
      target: [keyShard.organisationId, keyShard.environment, keyShard.prefix],
      set: {
        digest: sql`excluded.digest`,
        keys: sql`excluded.keys`,
        fingerprint: sql`excluded.fingerprint`,
      },
    })
}
