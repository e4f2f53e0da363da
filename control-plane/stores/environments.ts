import { and, asc, eq } from 'drizzle-orm'
import type { Queryable, Transaction } from '../db/connect.ts'
import { environment } from '../db/schema.ts'

export type EnvironmentRow = typeof environment.$inferSelect

/** Environments in the order they were made. */
export async function listEnvironments(db: Queryable, organisationId: string): Promise<EnvironmentRow[]> {
  return db
    .select()
    .from(environment)
    .where(eq(environment.organisationId, organisationId))
    .orderBy(asc(environment.createdMs), asc(environment.name))
}

export async function findEnvironment(
  db: Queryable,
  organisationId: string,
  name: string,
): Promise<EnvironmentRow | undefined> {
  const [row] = await db
    .select()
    .from(environment)
    .where(and(eq(environment.organisationId, organisationId), eq(environment.name, name)))
  return row
}

/** Makes the environment where it is missing; gives whether it was. */
export async function insertEnvironmentIfMissing(db: Queryable, row: EnvironmentRow): Promise<boolean> {
  const made = await db
    .insert(environment)
    .values(row)
    .onConflictDoNothing()
    .returning({ name: environment.name })
  return made.length > 0
}

/** The environment, which nobody else changes until the transaction ends. */
export async function lockEnvironment(
  tx: Transaction,
  organisationId: string,
  name: string,
): Promise<EnvironmentRow | undefined> {
  const [row] = await tx
    .select()
    .from(environment)
    .where(and(eq(environment.organisationId, organisationId), eq(environment.name, name)))
    .for('update')
  return row
}

/** Sets what is switched off; null for nothing. */
export async function storeFreeze(
  q: Queryable,
  { organisationId, name }: Pick<EnvironmentRow, 'organisationId' | 'name'>,
  freeze: Pick<EnvironmentRow, 'freezeReason' | 'freeze'>,
): Promise<void> {
  await q
    .update(environment)
    .set(freeze)
    .where(and(eq(environment.organisationId, organisationId), eq(environment.name, name)))
}
