import { and, desc, eq, isNull, ne } from 'drizzle-orm'
import type { Queryable } from '../db/connect.ts'
import { node, token } from '../db/schema.ts'
import type { CiJob } from '../db/tables/access.ts'
import type { Reach } from '../identity/grants.ts'
import { withinReach } from './nodes.ts'

export type TokenRow = typeof token.$inferSelect
export interface TokenOfNode extends TokenRow {
  readonly path: string
}

const columns = { token, path: node.path }
const flat = (row: { token: TokenRow; path: string }): TokenOfNode => ({ ...row.token, path: row.path })

/** The token of this hash, revoked or not. */
export async function findTokenByHash(db: Queryable, hash: string): Promise<TokenOfNode | undefined> {
  const [row] = await db
    .select(columns)
    .from(token)
    .innerJoin(node, eq(node.id, token.nodeId))
    .where(eq(token.hash, hash))
    .limit(1)
  return row === undefined ? undefined : flat(row)
}

/** Tokens whose node lies within a reach, newest first. */
export async function listTokens(
  db: Queryable,
  organisationId: string,
  reach: Reach,
): Promise<TokenOfNode[]> {
  const rows = await db
    .select(columns)
    .from(token)
    .innerJoin(node, eq(node.id, token.nodeId))
    .where(and(eq(token.organisationId, organisationId), withinReach(reach)))
    .orderBy(desc(token.createdMs), desc(token.id))
  return rows.map(flat)
}

/** Path of the node that a token holds on. */
export async function findTokenPath(
  db: Queryable,
  organisationId: string,
  id: string,
): Promise<string | undefined> {
  const [row] = await db
    .select({ path: node.path })
    .from(token)
    .innerJoin(node, eq(node.id, token.nodeId))
    .where(and(eq(token.organisationId, organisationId), eq(token.id, id)))
  return row?.path
}

/** The CI job that a token was made for; undefined for all others. */
export async function findCiJob(db: Queryable, id: string): Promise<CiJob | undefined> {
  const [row] = await db.select({ ci: token.ci }).from(token).where(eq(token.id, id))
  return row?.ci ?? undefined
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
): Promise<TokenOfNode | undefined> {
  const [row] = await db
    .select(columns)
    .from(token)
    .innerJoin(node, eq(node.id, token.nodeId))
    .where(and(eq(token.organisationId, organisationId), eq(token.id, id)))
    .for('update', { of: token })
  return row === undefined ? undefined : flat(row)
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
