import { and, eq, sql } from 'drizzle-orm'
import { validate as isUuid } from 'uuid'
import type { Queryable } from '../db/connect.ts'
import { apiKey, type budget, node, type rateLimit } from '../db/schema.ts'

/**
 * Path of the node that a row of a table, such as a budget or a limit, is of, or whose key it is of; of a deleted
 * budget too.
 */
export async function findOwnedPath(
  q: Queryable,
  table: typeof budget | typeof rateLimit,
  { organisationId, id }: { readonly organisationId: string; readonly id: string },
): Promise<string | undefined> {
  if (!isUuid(id)) return undefined
  const [row] = await q
    .select({ path: node.path })
    .from(table)
    .leftJoin(apiKey, eq(apiKey.id, table.keyId))
    .innerJoin(node, eq(node.id, sql`coalesce(${table.nodeId}, ${apiKey.nodeId})`))
    .where(and(eq(table.organisationId, organisationId), eq(table.id, id)))
  return row?.path
}
