import { and, asc, eq, lt } from 'drizzle-orm'
import type { Queryable, Transaction } from '../db/connect.ts'
import { ciIdentity, ciTrust, node } from '../db/schema.ts'

export type CiTrustRow = typeof ciTrust.$inferSelect
export interface PlacedCiTrust extends CiTrustRow {
  readonly path: string
}

async function select(q: Queryable, where: ReturnType<typeof and>): Promise<PlacedCiTrust[]> {
  const rows = await q
    .select({ trust: ciTrust, path: node.path })
    .from(ciTrust)
    .innerJoin(node, eq(node.id, ciTrust.nodeId))
    .where(where)
    .orderBy(asc(ciTrust.name), asc(ciTrust.id))
  return rows.map(({ trust, path }) => ({ ...trust, path }))
}

export function listCiTrusts(q: Queryable, organisationId: string): Promise<PlacedCiTrust[]> {
  return select(q, and(eq(ciTrust.organisationId, organisationId)))
}

/** Those of all organisations whose jobs have their identities from an issuer. */
export function findCiTrusts(q: Queryable, issuer: string): Promise<PlacedCiTrust[]> {
  return select(q, and(eq(ciTrust.issuer, issuer)))
}

/** Fails with a unique violation of `ci_trust_name` where the name is taken. */
export async function insertCiTrust(tx: Transaction, row: CiTrustRow): Promise<void> {
  await tx.insert(ciTrust).values(row)
}

/** Gives the trust that was there. */
export async function deleteCiTrustRow(
  tx: Transaction,
  organisationId: string,
  id: string,
): Promise<CiTrustRow | undefined> {
  const [row] = await tx
    .delete(ciTrust)
    .where(and(eq(ciTrust.organisationId, organisationId), eq(ciTrust.id, id)))
    .returning()
  return row
}

/** Notes an identity that is exchanged. False where it was before. Those that have expired are forgotten. */
export async function useCiIdentity(
  tx: Transaction,
  identity: typeof ciIdentity.$inferSelect,
  nowMs: number,
): Promise<boolean> {
  await tx.delete(ciIdentity).where(lt(ciIdentity.expiresMs, nowMs))
  const made = await tx.insert(ciIdentity).values(identity).onConflictDoNothing().returning()
  return made.length === 1
}
