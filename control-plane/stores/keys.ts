import { and, desc, eq, gt, isNull, lt, or, type SQL, sql } from 'drizzle-orm'
import type { Queryable } from '../db/connect.ts'
import { apiKey, node, retiredKeySecret } from '../db/schema.ts'
import type { Reach } from '../identity/grants.ts'
import type { PagePlace } from '../page-cursor.ts'
import { withinReach } from './nodes.ts'

export type KeyRow = typeof apiKey.$inferSelect
export interface KeyOfTeam extends KeyRow {
  readonly teamName: string
  /** Path of the node. */
  readonly path: string
  /** Until when a secret before works too. */
  readonly previousUntilMs: number | null
}
/** What a list of keys asks for; all given members must hold. */
export interface KeySearch {
  readonly reach: Reach
  readonly nodeId?: string | undefined
  readonly environment?: string | undefined
  readonly name?: string | undefined
  /** First characters of the key itself. */
  readonly prefix?: string | undefined
  /** Neither revoked nor expired now. */
  readonly active?: boolean | undefined
  readonly after?: PagePlace | undefined
  readonly nowMs: number
  readonly limit: number
}

const time = (timeMs: number): SQL => sql`${new Date(timeMs).toISOString()}::timestamptz`

/** A key with its team, as far as an update has to know it. */
function columnsAt(nowMs: number) {
  const previous = sql<string | null>`(
    select (extract(epoch from max(r.expires)) * 1000)::bigint::text from retired_key_secret r
    where r.key_id = ${apiKey.id} and r.revoked is null and r.expires > ${time(nowMs)})`
  return { key: apiKey, teamName: node.name, path: node.path, previous }
}

interface Selected {
  readonly key: KeyRow
  readonly teamName: string
  readonly path: string
  readonly previous: string | null
}
const flat = ({ key, teamName, path, previous }: Selected): KeyOfTeam => ({
  ...key,
  teamName,
  path,
  previousUntilMs: previous === null ? null : Number(previous),
})

function startsWith(prefix: string): SQL | undefined {
  // Of an older key fewer characters are kept than may be asked for. Letters and digits alone: nothing to escape.
  return or(sql`${apiKey.start} like ${`${prefix}%`}`, sql`starts_with(${prefix}, ${apiKey.start})`)
}

/** Keys, newest first, starting after a place. */
export async function listKeys(
  db: Queryable,
  organisationId: string,
  search: KeySearch,
): Promise<KeyOfTeam[]> {
  const { after, nowMs } = search
  const rows = await db
    .select(columnsAt(nowMs))
    .from(apiKey)
    .innerJoin(node, eq(node.id, apiKey.nodeId))
    .where(
      and(
        eq(apiKey.organisationId, organisationId),
        withinReach(search.reach),
        search.nodeId === undefined ? undefined : eq(apiKey.nodeId, search.nodeId),
        search.environment === undefined ? undefined : eq(apiKey.environment, search.environment),
        search.name === undefined ? undefined : eq(apiKey.name, search.name),
        search.prefix === undefined ? undefined : startsWith(search.prefix),
        search.active === true
          ? and(isNull(apiKey.revokedMs), or(isNull(apiKey.expiresMs), gt(apiKey.expiresMs, nowMs)))
          : undefined,
        after === undefined
          ? undefined
          : or(
              lt(apiKey.createdMs, after.timeMs),
              and(eq(apiKey.createdMs, after.timeMs), lt(apiKey.id, after.id)),
            ),
      ),
    )
    .orderBy(desc(apiKey.createdMs), desc(apiKey.id))
    .limit(search.limit)
  return rows.map(flat)
}

/** Fails with a unique violation of `api_key_name` where the node has a key of this label that is not revoked. */
export async function insertKey(db: Queryable, row: KeyRow): Promise<void> {
  await db.insert(apiKey).values(row)
}

const byId = (organisationId: string, id: string): SQL | undefined =>
  and(eq(apiKey.organisationId, organisationId), eq(apiKey.id, id))

export async function findKey(
  db: Queryable,
  organisationId: string,
  { id, nowMs }: { readonly id: string; readonly nowMs: number },
): Promise<KeyOfTeam | undefined> {
  const [row] = await db
    .select(columnsAt(nowMs))
    .from(apiKey)
    .innerJoin(node, eq(node.id, apiKey.nodeId))
    .where(byId(organisationId, id))
  return row === undefined ? undefined : flat(row)
}

/** Path of the node that a key hangs on. */
export async function findKeyPath(
  db: Queryable,
  organisationId: string,
  id: string,
): Promise<string | undefined> {
  const [row] = await db
    .select({ path: node.path })
    .from(apiKey)
    .innerJoin(node, eq(node.id, apiKey.nodeId))
    .where(byId(organisationId, id))
  return row?.path
}

/** A key and the path of its node, if the organisation has it and it is not revoked. */
export async function findLivingKey(
  db: Queryable,
  organisationId: string,
  id: string,
): Promise<{ id: string; name: string; path: string } | undefined> {
  const [row] = await db
    .select({ id: apiKey.id, name: apiKey.name, path: node.path })
    .from(apiKey)
    .innerJoin(node, eq(node.id, apiKey.nodeId))
    .where(and(eq(apiKey.organisationId, organisationId), eq(apiKey.id, id), isNull(apiKey.revokedMs)))
  return row
}

/** Locks the key's row for the transaction. */
export async function lockKey(
  db: Queryable,
  organisationId: string,
  { id, nowMs }: { readonly id: string; readonly nowMs: number },
): Promise<KeyOfTeam | undefined> {
  await db.select({ id: apiKey.id }).from(apiKey).where(byId(organisationId, id)).for('update')
  return await findKey(db, organisationId, { id, nowMs })
}

/** Fails with a unique violation of `api_key_name` where the label is taken. */
export async function storeKey(
  db: Queryable,
  id: string,
  fields: Partial<
    Pick<KeyRow, 'name' | 'nodeId' | 'scopes' | 'expiresMs' | 'revision' | 'hash' | 'start' | 'rotatedMs'>
  >,
): Promise<void> {
  await db.update(apiKey).set(fields).where(eq(apiKey.id, id))
}

/** Secrets that a key had before work no more. */
export async function revokeRetiredSecrets(db: Queryable, keyId: string, nowMs: number): Promise<void> {
  const works = and(isNull(retiredKeySecret.revokedMs), gt(retiredKeySecret.expiresMs, nowMs))
  await db
    .update(retiredKeySecret)
    .set({ revokedMs: nowMs })
    .where(and(eq(retiredKeySecret.keyId, keyId), works))
}

/** Revokes a key with all secrets that it had. */
export async function storeRevocation(db: Queryable, id: string, nowMs: number): Promise<void> {
  await db
    .update(apiKey)
    .set({ revokedMs: nowMs, revision: sql`${apiKey.revision} + 1` })
    .where(eq(apiKey.id, id))
  await revokeRetiredSecrets(db, id, nowMs)
}

/** Keeps the secret that a key had; gives how many of them work now. */
export async function retireSecret(
  db: Queryable,
  row: typeof retiredKeySecret.$inferSelect,
): Promise<number> {
  await db.insert(retiredKeySecret).values(row)
  return await db.$count(
    retiredKeySecret,
    and(
      eq(retiredKeySecret.keyId, row.keyId),
      isNull(retiredKeySecret.revokedMs),
      gt(retiredKeySecret.expiresMs, row.retiredMs),
    ),
  )
}

/** Keys that were used within this time are not written again. */
const lastUsedStepMs = 60_000

/**
 * Notes when keys were used, as records tell. Rows that somebody else is writing are left out: the next records bring
 * them again.
 */
export async function noteKeyUse(
  db: Queryable,
  organisationId: string,
  usedMs: ReadonlyMap<string, number>,
): Promise<void> {
  if (usedMs.size === 0) return
  const uses = JSON.stringify([...usedMs].map(([id, ms]) => ({ id, used: new Date(ms).toISOString() })))
  await db.execute(sql`
    with use as (select * from json_to_recordset(${uses}::json) as use(id uuid, used timestamptz)),
    due as (
      select k.id from api_key k join use on use.id = k.id
      where k.organisation_id = ${organisationId} and (k.last_used is null
        or k.last_used < use.used - ${lastUsedStepMs} * interval '1 millisecond')
      for update of k skip locked
    )
    update api_key k set last_used = use.used from use, due where k.id = due.id and use.id = k.id`)
}
