import { and, asc, eq, inArray, sql } from 'drizzle-orm'
import type { Queryable, Transaction } from '../db/connect.ts'
import { organisation, rootDocument, signingKey } from '../db/schema.ts'

export type OrganisationRow = typeof organisation.$inferSelect
export type SigningKeyRow = typeof signingKey.$inferSelect

export async function findOrganisation(db: Queryable, id: string): Promise<OrganisationRow | undefined> {
  const [row] = await db.select().from(organisation).where(eq(organisation.id, id))
  return row
}

export async function findOrganisationByName(
  db: Queryable,
  name: string,
): Promise<OrganisationRow | undefined> {
  const [row] = await db.select().from(organisation).where(eq(organisation.name, name))
  return row
}

/** Programs that set up the same database wait for each other, until the transaction ends. */
export async function lockBootstrap(transaction: Transaction): Promise<void> {
  await transaction.execute(sql`select pg_advisory_xact_lock(hashtextextended('bootstrap', 0))`)
}

export async function insertOrganisation(db: Queryable, row: OrganisationRow): Promise<void> {
  await db.insert(organisation).values(row)
}

/** Signing keys, oldest first; their private parts are encrypted. */
export async function listSigningKeys(db: Queryable, organisationId: string): Promise<SigningKeyRow[]> {
  return db
    .select()
    .from(signingKey)
    .where(eq(signingKey.organisationId, organisationId))
    .orderBy(asc(signingKey.createdMs), asc(signingKey.keyId))
}

export async function insertSigningKeys(db: Queryable, rows: readonly SigningKeyRow[]): Promise<void> {
  await db.insert(signingKey).values([...rows])
}

/** Keys that sign no more. */
export async function retireSigningKeys(
  db: Queryable,
  organisationId: string,
  { keyIds, retiredMs }: { readonly keyIds: readonly string[]; readonly retiredMs: number },
): Promise<void> {
  if (keyIds.length === 0) return
  const those = and(eq(signingKey.organisationId, organisationId), inArray(signingKey.keyId, [...keyIds]))
  await db.update(signingKey).set({ retiredMs }).where(those)
}

export async function insertRootDocument(
  db: Queryable,
  row: typeof rootDocument.$inferSelect,
): Promise<void> {
  await db.insert(rootDocument).values(row)
}
