import { and, asc, eq, gt, inArray, isNull, lt, lte, ne, or, type SQL, sql } from 'drizzle-orm'
import type { Queryable, Transaction } from '../db/connect.ts'
import { batchJob } from '../db/schema.ts'
import type { StoredScope } from './stored-things.ts'

export type BatchRow = typeof batchJob.$inferSelect

/** One gateway alone looks after a job for so long, unless it says that it still does. */
const heldMs = 300_000
/** Providers forget the results of a batch after 30 days: what is not metered by then never is. */
const watchedMs = 35 * 86_400_000
/** Jobs are kept for so long: as long as their settlements are likely to be asked about. */
const keptMs = 400 * 86_400_000
const sweptMax = 100

const inScope = ({ organisationId, environment }: StoredScope): SQL | undefined =>
  and(eq(batchJob.organisationId, organisationId), eq(batchJob.environment, environment))

export async function findBatch(q: Queryable, scope: StoredScope, id: string): Promise<BatchRow | undefined> {
  return (
    await q
      .select()
      .from(batchJob)
      .where(and(inScope(scope), eq(batchJob.id, id)))
  )[0]
}

export async function insertBatch(tx: Transaction, row: typeof batchJob.$inferInsert): Promise<void> {
  await tx.insert(batchJob).values(row)
}

export async function updateBatch(
  q: Queryable,
  id: string,
  set: Partial<Omit<BatchRow, 'id' | 'organisationId' | 'environment'>>,
): Promise<void> {
  await q.update(batchJob).set(set).where(eq(batchJob.id, id))
}

/** Batches that are not over, by the leases that pay for them. */
export async function findBatchesOf(
  q: Queryable,
  leaseIds: readonly string[],
): Promise<Map<string, BatchRow>> {
  if (leaseIds.length === 0) return new Map()
  const paid = sql`exists (select 1 from jsonb_array_elements(${batchJob.leases}) as l
    where l->>'leaseId' = any(${sql.param([...leaseIds])}::text[]))`
  const rows = await q
    .select()
    .from(batchJob)
    .where(and(ne(batchJob.state, 'ended'), paid))
  return new Map(rows.flatMap((row) => row.leases.map(({ leaseId }) => [leaseId, row] as const)))
}

/** Takes jobs for a run of a gateway: those that are due, or the named ones, as far as nobody else has them. */
export async function claimBatches(
  q: Queryable,
  scope: StoredScope,
  wanted: { readonly holder: string; readonly nowMs: number; readonly max: number } & {
    readonly providerIds?: readonly string[]
  },
): Promise<BatchRow[]> {
  const { holder, nowMs, max, providerIds } = wanted
  const free = or(isNull(batchJob.holder), eq(batchJob.holder, holder), lt(batchJob.heldUntilMs, nowMs))
  const which =
    providerIds === undefined ? lte(batchJob.nextMs, nowMs) : inArray(batchJob.providerId, [...providerIds])
  const due = q
    .select({ id: batchJob.id })
    .from(batchJob)
    .where(
      and(
        inScope(scope),
        eq(batchJob.state, 'running'),
        free,
        which,
        gt(batchJob.createdMs, nowMs - watchedMs),
      ),
    )
    .orderBy(asc(batchJob.nextMs))
    .limit(max)
    .for('update', { skipLocked: true })
  return await q
    .update(batchJob)
    .set({ holder, heldUntilMs: nowMs + heldMs, nextMs: nowMs + heldMs })
    .where(inArray(batchJob.id, due))
    .returning()
}

/** Whether another run of a gateway has one of these jobs. */
export async function isElsewhere(
  q: Queryable,
  scope: StoredScope,
  { holder, providerIds }: { readonly holder: string; readonly providerIds: readonly string[] },
): Promise<boolean> {
  const held = and(eq(batchJob.state, 'running'), ne(batchJob.holder, holder))
  const which = inArray(batchJob.providerId, [...providerIds])
  const rows = await q
    .select({ id: batchJob.id })
    .from(batchJob)
    .where(and(inScope(scope), held, which))
    .limit(1)
  return rows.length > 0
}

/** The holder of a job is still at it. */
export async function keepBatch(q: Queryable, id: string, nowMs: number): Promise<void> {
  await updateBatch(q, id, { heldUntilMs: nowMs + heldMs, nextMs: nowMs + heldMs })
}

/** Removes some of the jobs that are long over, whatever became of them. */
export async function sweepBatches(q: Queryable, nowMs: number): Promise<void> {
  const old = q
    .select({ id: batchJob.id })
    .from(batchJob)
    .where(lt(batchJob.createdMs, nowMs - keptMs))
    .limit(sweptMax)
  await q.delete(batchJob).where(inArray(batchJob.id, old))
}
