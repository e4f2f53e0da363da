import { and, eq } from 'drizzle-orm'
import type { Queryable } from '../db/connect.ts'
import { connectionSecret } from '../db/schema.ts'

export type ConnectionSecretRow = typeof connectionSecret.$inferSelect

/** When each secret of an environment was set, by name. */
export async function listSecretTimes(
  db: Queryable,
  organisationId: string,
  environment: string,
): Promise<Map<string, number>> {
  const rows = await db
    .select({ name: connectionSecret.name, updatedMs: connectionSecret.updatedMs })
    .from(connectionSecret)
    .where(
      and(eq(connectionSecret.organisationId, organisationId), eq(connectionSecret.environment, environment)),
    )
  return new Map(rows.map((row) => [row.name, row.updatedMs]))
}

/** Sets or replaces a secret; its value is encrypted already. */
export async function storeSecret(db: Queryable, row: ConnectionSecretRow): Promise<void> {
  const { value, updatedMs, updatedBy } = row
  await db
    .insert(connectionSecret)
    .values(row)
    .onConflictDoUpdate({
      target: [connectionSecret.organisationId, connectionSecret.environment, connectionSecret.name],
      set: { value, updatedMs, updatedBy },
    })
}
