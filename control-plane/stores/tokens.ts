import { and, desc, eq, isNull, ne } from 'drizzle-orm'
import type { Queryable } from '../db/connect.ts'
import { token } from '../db/schema.ts'

export type TokenRow = typeof token.$inferSelect

/** The token of this hash, revoked or not. */
export async function findTokenByHash(db: Queryable, hash: string): Promise<TokenRow | undefined> {
  const [row] = await db.select().from(token).where(eq(token.hash, hash)).limit(1)
  return row
}

export async function listTokens(db: Queryable, organisationId: string): Promise<TokenRow[]> {
  return db
    .select()
    .from(token)
    .where(eq(token.organisationId, organisationId))
    .orderBy(desc(token.createdMs))
}

export async function insertToken(db: Queryable, row: TokenRow): Promise<void> {
  await db.insert(token).values(row)
}

/** Notes that the token was used. */
export async function touchToken(db: Queryable, id: string, nowMs: number): Promise<void> {
  await db.update(token).set({ lastUsedMs: nowMs }).where(eq(token.id, id))
}

/** Locks the token's row for the transaction. */
export async function lockToken(
  db: Queryable,
  organisationId: string,
  id: string,
): Promise<TokenRow | undefined> {
  const [row] = await db
    .select()
    .from(token)
    .where(and(eq(token.organisationId, organisationId), eq(token.id, id)))
    .for('update')
  return row
}

export async function storeTokenRevocation(db: Queryable, id: string, nowMs: number): Promise<void> {
  await db.update(token).set({ revokedMs: nowMs }).where(eq(token.id, id))
}

/** Revokes every root token but the one of this hash; gives how many. */
export async function revokeOtherRootTokens(
  db: Queryable,
  organisationId: string,
  { hash, nowMs }: { readonly hash: string; readonly nowMs: number },
): Promise<number> {
  const revoked = await db
    .update(token)
    .set({ revokedMs: nowMs })
    .where(
      and(
        eq(token.organisationId, organisationId),
        eq(token.kind, 'root'),
        ne(token.hash, hash),
        isNull(token.revokedMs),
      ),
    )
    .returning({ id: token.id })
  return revoked.length
}

/** Makes a revoked token hold again. */
export async function restoreToken(db: Queryable, id: string): Promise<void> {
  await db.update(token).set({ revokedMs: null }).where(eq(token.id, id))
}
