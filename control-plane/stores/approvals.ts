import { and, desc, eq } from 'drizzle-orm'
import { validate as isUuid } from 'uuid'
import type { Queryable, Transaction } from '../db/connect.ts'
import { approval } from '../db/schema.ts'

export type ApprovalRow = typeof approval.$inferSelect

export async function insertApproval(q: Queryable, row: ApprovalRow): Promise<void> {
  await q.insert(approval).values(row)
}

/** Requests, newest first. */
export async function listApprovals(
  q: Queryable,
  organisationId: string,
  filter: { readonly environment?: string | undefined; readonly limit: number },
): Promise<ApprovalRow[]> {
  const { environment, limit } = filter
  return await q
    .select()
    .from(approval)
    .where(
      and(
        eq(approval.organisationId, organisationId),
        environment === undefined ? undefined : eq(approval.environment, environment),
      ),
    )
    .orderBy(desc(approval.createdMs), desc(approval.id))
    .limit(limit)
}

export async function findApproval(
  q: Queryable,
  organisationId: string,
  id: string,
): Promise<ApprovalRow | undefined> {
  if (!isUuid(id)) return undefined
  const [row] = await q
    .select()
    .from(approval)
    .where(and(eq(approval.organisationId, organisationId), eq(approval.id, id)))
  return row
}

/** The same, and nobody else decides on it until the transaction ends. */
export async function lockApproval(
  tx: Transaction,
  organisationId: string,
  id: string,
): Promise<ApprovalRow | undefined> {
  if (!isUuid(id)) return undefined
  const [row] = await tx
    .select()
    .from(approval)
    .where(and(eq(approval.organisationId, organisationId), eq(approval.id, id)))
    .for('update')
  return row
}

export async function storeDecision(
  q: Queryable,
  { id, status, decisions }: Pick<ApprovalRow, 'id' | 'status' | 'decisions'>,
): Promise<void> {
  await q.update(approval).set({ status, decisions }).where(eq(approval.id, id))
}
