import type { KeyRow, KeyScopes } from '@signalbox/sdk/contract'
import { and, eq, type SQL, sql } from 'drizzle-orm'
import type { Queryable } from '../db/connect.ts'
import { apiKey, keyShard, retiredKeySecret as retired } from '../db/schema.ts'

/** Hashes of the newest revoked keys and of secrets that were retired without grace, newest first. */
export async function loadRevokedKeys(
  q: Queryable,
  where: { organisationId: string; environment: string; sinceMs: number },
  limit: number,
): Promise<{ hash: string; revokedMs: number }[]> {
  const since = new Date(where.sinceMs).toISOString()
  const of = (table: typeof apiKey | typeof retired): SQL =>
    sql`select ${table.hash} as hash, ${table.revokedMs} as revoked from ${table}
      where ${table.organisationId} = ${where.organisationId} and ${table.environment} = ${where.environment}
        and ${table.revokedMs} > ${since}::timestamptz`
  const { rows } = await q.execute<{ hash: string; revoked: string }>(
    sql`select hash, (extract(epoch from revoked) * 1000)::bigint::text as revoked
      from (${of(apiKey)} union all ${of(retired)}) as gone order by gone.revoked desc, hash limit ${limit}`,
  )
  return rows.map(({ hash, revoked }) => ({ hash, revokedMs: Number(revoked) }))
}

/** Which keys stand in shards: those that are not revoked, or were revoked after `revokedAfterMs`. */
export interface IndexedKeys {
  readonly organisationId: string
  readonly environment: string
  readonly revokedAfterMs: number
}

/**
 * The lines of the index: each key by its secret's hash, and by those that it had before it was rotated while they
 * work. A retired secret that has expired stays until the end of the day, like a key that was revoked.
 */
function indexedKeys(keys: IndexedKeys): SQL {
  const after = new Date(keys.revokedAfterMs).toISOString()
  const here = (table: typeof apiKey | typeof retired): SQL | undefined =>
    and(eq(table.organisationId, keys.organisationId), eq(table.environment, keys.environment))
  return sql`(
    select ${apiKey.hash} as hash, ${apiKey.id} as id, ${apiKey.nodeId} as node, ${apiKey.name} as name,
      ${apiKey.expiresMs} as expires, ${apiKey.scopes} as scopes
    from ${apiKey} where ${here(apiKey)}
      and (${apiKey.revokedMs} is null or ${apiKey.revokedMs} > ${after}::timestamptz)
    union all
    select ${retired.hash}, ${apiKey.id}, ${apiKey.nodeId}, ${apiKey.name},
      least(${retired.expiresMs}, ${apiKey.expiresMs}), ${apiKey.scopes}
    from ${retired} inner join ${apiKey} on ${apiKey.id} = ${retired.keyId} where ${here(retired)}
      and ${retired.expiresMs} > ${after}::timestamptz
      and (${retired.revokedMs} is null or ${retired.revokedMs} > ${after}::timestamptz)
  ) as indexed`
}

export interface KeyFingerprint {
  readonly prefix: string
  readonly count: number
  readonly fingerprint: string
}

const epochMs = sql.raw('(extract(epoch from expires) * 1000)::bigint::text')
const prefixOf = (length: number): SQL => sql.raw(`left(hash, ${Math.trunc(length)})`)

/**
 * Per shard: how many keys, and a sum over hashes of their rows that changes with any of them. So that one aggregate
 * in the database tells which shards to read, however many keys there are.
 */
export async function loadKeyFingerprints(
  q: Queryable,
  keys: IndexedKeys,
  prefixLength: number,
): Promise<KeyFingerprint[]> {
  const line = sql`concat_ws(' ', hash, node, ${epochMs}, name, nullif(scopes, '{}'::jsonb)::text)`
  const { rows } = await q.execute<{ prefix: string; count: number; fingerprint: string }>(
    sql`select ${prefixOf(prefixLength)} as prefix, count(*)::int as count,
        sum(hashtextextended(${line}, 0)::numeric)::text as fingerprint
      from ${indexedKeys(keys)} group by 1 order by 1`,
  )
  return rows
}

/** The rows of some shards, or of all keys where the prefix length is 0. */
export async function loadKeyRows(
  q: Queryable,
  keys: IndexedKeys,
  shards: { prefixLength: number; prefixes: readonly string[] },
): Promise<KeyRow[]> {
  const chosen =
    shards.prefixLength === 0
      ? sql``
      : sql`where ${prefixOf(shards.prefixLength)} = any(${sql.param([...shards.prefixes])}::text[])`
  const { rows } = await q.execute<{
    hash: string
    id: string
    node: string
    name: string
    expires: string | null
    scopes: KeyScopes
  }>(sql`select hash, id, node, name, ${epochMs} as expires, scopes from ${indexedKeys(keys)} ${chosen}`)
  return rows.map(({ hash, id, node, name, expires, scopes }) => ({
    ...{ hash, id, node, name },
    expiresMs: expires === null ? null : Number(expires),
    ...(Object.keys(scopes).length > 0 && { scopes }),
  }))
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
