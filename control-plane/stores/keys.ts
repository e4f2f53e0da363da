import { and, desc, eq } from 'drizzle-orm'
import type { Queryable } from '../db/connect.ts'
import { apiKey, node } from '../db/schema.ts'

export type KeyRow = typeof apiKey.$inferSelect
export interface KeyOfTeam extends KeyRow {
  readonly teamName: string
}

/** Keys of an organisation, or of one node, newest first. */
export async function listKeys(db: Queryable, organisationId: string, nodeId?: string): Promise<KeyOfTeam[]> {
  const ofNode = nodeId === undefined ? undefined : eq(apiKey.nodeId, nodeId)
  const rows = await db
    .select({ key: apiKey, teamName: node.name })
    .from(apiKey)
    .innerJoin(node, eq(node.id, apiKey.nodeId))
    .where(and(eq(apiKey.organisationId, organisationId), ofNode))
    .orderBy(desc(apiKey.createdMs), desc(apiKey.id))
  return rows.map((row) => ({ ...row.key, teamName: row.teamName }))
}

/** Fails with a unique violation of `api_key_name` where the node has a key of this label that is not revoked. */
export async function insertKey(db: Queryable, row: KeyRow): Promise<void> {
  await db.insert(apiKey).values(row)
}

/** Locks the key's row for the transaction. */
export async function lockKey(
  db: Queryable,
  organisationId: string,
  id: string,
): Promise<KeyOfTeam | undefined> {
  const [row] = await db
    .select({ key: apiKey, teamName: node.name })
    .from(apiKey)
    .innerJoin(node, eq(node.id, apiKey.nodeId))
    .where(and(eq(apiKey.organisationId, organisationId), eq(apiKey.id, id)))
    .for('update', { of: apiKey })
  return row === undefined ? undefined : { ...row.key, teamName: row.teamName }
}

export async function storeRevocation(db: Queryable, id: string, nowMs: number): Promise<void> {
  await db.update(apiKey).set({ revokedMs: nowMs }).where(eq(apiKey.id, id))
}
