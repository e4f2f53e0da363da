import { Refusal } from '@signalbox/sdk/contract'
import { and, asc, eq, isNull, or, sql } from 'drizzle-orm'
import { validate as isUuid } from 'uuid'
import type { Queryable } from '../db/connect.ts'
import { apiKey, node } from '../db/schema.ts'

export type NodeRow = typeof node.$inferSelect

/** How deep a path is: 0 for the root. */
const depth = sql`coalesce(array_length(string_to_array(nullif(${node.path}, ''), '/'), 1), 0)`

/** The tree with the number of keys that are not revoked, parents before children, beside each other by name. */
export async function listNodes(
  db: Queryable,
  organisationId: string,
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
    .where(eq(node.organisationId, organisationId))
    .orderBy(depth, asc(node.path))
  return rows.map((row) => ({ ...row.node, keys: row.keys }))
}

async function findNodes(
  db: Queryable,
  organisationId: string,
  member: 'id' | 'path' | 'name',
  value: string,
): Promise<NodeRow[]> {
  return db
    .select()
    .from(node)
    .where(and(eq(node.organisationId, organisationId), eq(node[member], value)))
    .limit(2)
}

/** The root of the tree. */
export async function findRootNode(db: Queryable, organisationId: string): Promise<NodeRow> {
  const [root] = await findNodes(db, organisationId, 'path', '')
  if (root === undefined) throw new Error(`organisation ${organisationId} has no root node`)
  return root
}

/**
 * The node that an id, a path or a name means. A path below the root wins over the same name elsewhere; the name of
 * the organisation means the root.
 * @throws Refusal `not_found`; `invalid_request` where several nodes have the name.
 */
export async function resolveNode(
  db: Queryable,
  organisationId: string,
  reference: string,
): Promise<NodeRow> {
  const [byPath] = await findNodes(db, organisationId, 'path', reference)
  if (byPath !== undefined) return byPath
  if (isUuid(reference)) {
    const [byId] = await findNodes(db, organisationId, 'id', reference)
    if (byId !== undefined) return byId
  }
  const [byName, another] = await findNodes(db, organisationId, 'name', reference)
  if (byName === undefined) throw new Refusal('not_found', { message: `There is no team "${reference}".` })
  if (another === undefined) return byName
  throw new Refusal('invalid_request', {
    message: `More than one team is named "${reference}": give its path, like "${byName.path}".`,
  })
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
  const [row] = await findNodes(db, organisationId, 'path', path)
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
  fields: Pick<NodeRow, 'managedBy' | 'limits'>,
): Promise<void> {
  await db.update(node).set(fields).where(eq(node.id, id))
}
