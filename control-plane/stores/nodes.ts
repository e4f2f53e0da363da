import { Refusal } from '@signalbox/sdk/contract'
import { and, asc, eq, isNull, or, type SQL, sql } from 'drizzle-orm'
import { validate as isUuid } from 'uuid'
import type { Queryable } from '../db/connect.ts'
import { apiKey, node, record, token, userGrant } from '../db/schema.ts'
import type { Reach } from '../identity/grants.ts'

export type NodeRow = typeof node.$inferSelect

/** How deep a path is: 0 for the root. */
const depth = sql`coalesce(array_length(string_to_array(nullif(${node.path}, ''), '/'), 1), 0)`

/** Whether a node is at or below one of the paths. */
export function withinReach(reach: Reach): SQL | undefined {
  if (reach.includes('')) return undefined
  const each = reach.map((path) => or(eq(node.path, path), sql`starts_with(${node.path}, ${`${path}/`})`))
  return or(...each) ?? sql`false`
}

/** The tree with the number of keys that are not revoked, parents before children, beside each other by name. */
export async function listNodes(
  db: Queryable,
  organisationId: string,
  reach: Reach,
): Promise<(NodeRow & { readonly keys: number })[]> {
  const counted = db
    .select({ nodeId: apiKey.nodeId, keys: sql<number>`count(*)::int`.as('keys') })
    .from(apiKey)
    .where(and(eq(apiKey.organisationId, organisationId), isNull(apiKey.revokedMs)))
    .groupBy(apiKey.nodeId)
    .as('counted')
  const rows = await db
    .select({ node, keys: sql<number>`coalesce(${counted.keys}, 0)` })
    .from(node)
    .leftJoin(counted, eq(counted.nodeId, node.id))
    .where(and(eq(node.organisationId, organisationId), withinReach(reach)))
    .orderBy(depth, asc(node.path))
  return rows.map((row) => ({ ...row.node, keys: row.keys }))
}

const everything: Reach = ['']

async function findNodes(
  db: Queryable,
  organisationId: string,
  named: { readonly [M in 'id' | 'path' | 'name']?: string },
  reach: Reach = everything,
): Promise<NodeRow[]> {
  const members = Object.entries(named).map(([member, value]) =>
    eq(node[member as keyof typeof named], value),
  )
  return db
    .select()
    .from(node)
    .where(and(eq(node.organisationId, organisationId), ...members, withinReach(reach)))
    .limit(2)
}

/** The root of the tree. */
export async function findRootNode(db: Queryable, organisationId: string): Promise<NodeRow> {
  const [root] = await findNodes(db, organisationId, { path: '' })
  if (root === undefined) throw new Error(`organisation ${organisationId} has no root node`)
  return root
}

/**
 * The node that an id, a path or a name means. A path below the root wins over the same name elsewhere; the name of
 * the organisation means the root. Nodes outside `reach` are not seen.
 * @throws Refusal `not_found`; `invalid_request` where several nodes have the name.
 */
export async function resolveNode(
  db: Queryable,
  organisationId: string,
  reference: string,
  reach: Reach = everything,
): Promise<NodeRow> {
  const [byPath] = await findNodes(db, organisationId, { path: reference }, reach)
  if (byPath !== undefined) return byPath
  if (isUuid(reference)) {
    const [byId] = await findNodes(db, organisationId, { id: reference }, reach)
    if (byId !== undefined) return byId
  }
  const [byName, another] = await findNodes(db, organisationId, { name: reference }, reach)
  if (byName === undefined) throw new Refusal('not_found', { message: `There is no team "${reference}".` })
  if (another === undefined) return byName
  throw new Refusal('invalid_request', {
    message: `More than one team is named "${reference}": give its path, like "${byName.path}".`,
  })
}

/** Ids of all nodes that lie within a reach; undefined where that is the whole tree. */
export async function loadReach(
  db: Queryable,
  organisationId: string,
  reach: Reach,
): Promise<string[] | undefined> {
  if (reach.includes('')) return undefined
  const rows = await db
    .select({ id: node.id })
    .from(node)
    .where(and(eq(node.organisationId, organisationId), withinReach(reach)))
  return rows.map((row) => row.id)
}

/** Fails with a unique violation of `node_path` where the parent has a child of this name. */
export async function insertNode(db: Queryable, row: NodeRow): Promise<void> {
  await db.insert(node).values(row)
}

/** Ids of a node and of all nodes below it. */
export async function loadSubtree(
  db: Queryable,
  organisationId: string,
  root: Pick<NodeRow, 'path'>,
): Promise<string[]> {
  const below = root.path === '' ? undefined : sql`starts_with(${node.path}, ${`${root.path}/`})`
  const rows = await db
    .select({ id: node.id })
    .from(node)
    .where(
      and(
        eq(node.organisationId, organisationId),
        below === undefined ? undefined : or(eq(node.path, root.path), below),
      ),
    )
  return rows.map((row) => row.id)
}

/** The node of exactly this path. */
export async function findNodeByPath(
  db: Queryable,
  organisationId: string,
  path: string,
): Promise<NodeRow | undefined> {
  const [row] = await findNodes(db, organisationId, { path })
  return row
}

/** Makes those who apply declared teams wait for each other, until the transaction ends. */
export async function lockTree(db: Queryable, organisationId: string): Promise<void> {
  await db.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`tree ${organisationId}`}, 0))`)
}

/** Sets what `teams:` of a workspace may set of a node. */
export async function setDeclaredFields(
  db: Queryable,
  id: string,
  fields: Pick<NodeRow, 'managedBy'>,
): Promise<void> {
  await db.update(node).set(fields).where(eq(node.id, id))
}

/** The parent of a node. */
export async function findParent(db: Queryable, row: NodeRow): Promise<NodeRow | undefined> {
  if (row.parentId === null) return undefined
  const [parent] = await findNodes(db, row.organisationId, { id: row.parentId })
  return parent
}

/** Gives a node another name or parent; the paths of all below it follow. */
export async function storePlace(
  db: Queryable,
  before: NodeRow,
  after: Pick<NodeRow, 'name' | 'parentId' | 'path' | 'revision'>,
): Promise<void> {
  const { name, parentId, path, revision } = after
  await db.update(node).set({ name, parentId, path, revision }).where(eq(node.id, before.id))
  const rest = sql`substr(${node.path}, ${before.path.length + 1}::int)`
  await db
    .update(node)
    .set({ path: sql`${path}::text || ${rest}` })
    .where(
      and(
        eq(node.organisationId, before.organisationId),
        sql`starts_with(${node.path}, ${`${before.path}/`})`,
      ),
    )
}

/** How many levels the tree below a node has; 0 where nothing is below it. */
export async function loadHeight(db: Queryable, root: NodeRow): Promise<number> {
  const [row] = await db
    .select({ deepest: sql<number>`coalesce(max(${depth}), 0)::int` })
    .from(node)
    .where(and(eq(node.organisationId, root.organisationId), withinReach([root.path])))
  return Math.max(0, (row?.deepest ?? 0) - root.path.split('/').length)
}

/** What keeps a node from being deleted, as counts. */
export async function loadHindrances(
  db: Queryable,
  { id, organisationId }: NodeRow,
): Promise<{ children: number; keys: number; calls: number; tokens: number; users: number }> {
  const called = await db
    .select({ id: record.id })
    .from(record)
    .where(and(eq(record.organisationId, organisationId), eq(record.nodeId, id)))
    .limit(1)
  return {
    children: await db.$count(node, eq(node.parentId, id)),
    keys: await db.$count(apiKey, and(eq(apiKey.nodeId, id), isNull(apiKey.revokedMs))),
    calls: called.length,
    tokens: await db.$count(token, and(eq(token.nodeId, id), isNull(token.revokedMs))),
    users: await db.$count(userGrant, eq(userGrant.nodeId, id)),
  }
}

/**
 * Deletes a node with the keys and tokens of it that are revoked. Fails with a foreign key violation where something
 * else still names it.
 */
export async function deleteNode(db: Queryable, id: string): Promise<void> {
  await db.delete(apiKey).where(eq(apiKey.nodeId, id))
  await db.delete(token).where(eq(token.nodeId, id))
  await db.delete(node).where(eq(node.id, id))
}
