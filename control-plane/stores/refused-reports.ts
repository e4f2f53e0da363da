import { and, count, desc, eq, inArray, lt, ne, sql } from 'drizzle-orm'
import type { Queryable } from '../db/connect.ts'
import { refusedReport } from '../db/schema.ts'

export type RefusedReportRow = typeof refusedReport.$inferSelect

/** What a list shows at most. */
const rowsPerList = 500
/** What one statement deletes. */
const sweptMax = 5000

/** Stores reports that are not there yet. Gives the new ones. */
export async function insertRefusedReports(
  q: Queryable,
  rows: readonly RefusedReportRow[],
): Promise<RefusedReportRow[]> {
  if (rows.length === 0) return []
  return q
    .insert(refusedReport)
    .values([...rows])
    .onConflictDoNothing()
    .returning()
}

/** Open ones first, then the newest. */
export async function listRefusedReports(q: Queryable, organisationId: string): Promise<RefusedReportRow[]> {
  return q
    .select()
    .from(refusedReport)
    .where(eq(refusedReport.organisationId, organisationId))
    .orderBy(sql`${refusedReport.state} <> 'open'`, desc(refusedReport.timeMs))
    .limit(rowsPerList)
}

export async function findRefusedReport(
  q: Queryable,
  organisationId: string,
  id: string,
): Promise<RefusedReportRow | undefined> {
  const [row] = await q
    .select()
    .from(refusedReport)
    .where(and(eq(refusedReport.organisationId, organisationId), eq(refusedReport.id, id)))
  return row
}

export async function countOpenRefusedReports(q: Queryable, organisationId: string): Promise<number> {
  const [row] = await q
    .select({ count: count() })
    .from(refusedReport)
    .where(and(eq(refusedReport.organisationId, organisationId), eq(refusedReport.state, 'open')))
  return row?.count ?? 0
}

/** Writes what was decided, unless somebody else has decided by now: then undefined. */
export async function decideRefusedReport(
  q: Queryable,
  id: string,
  decision: Pick<RefusedReportRow, 'state' | 'decidedMs' | 'decidedBy' | 'note'>,
): Promise<RefusedReportRow | undefined> {
  const [row] = await q
    .update(refusedReport)
    .set(decision)
    .where(and(eq(refusedReport.id, id), eq(refusedReport.state, 'open')))
    .returning()
  return row
}

/**
 * Deletes reports that were decided before a time; those that wait for a decision stay. Bounded: a few thousand. What
 * was decided, and of what, stands in the audit log. Gives how many went.
 */
export async function deleteDecidedReports(
  q: Queryable,
  organisationId: string,
  beforeMs: number,
): Promise<number> {
  const { id, state, decidedMs } = refusedReport
  const own = eq(refusedReport.organisationId, organisationId)
  const due = q
    .select({ id })
    .from(refusedReport)
    .where(and(own, ne(state, 'open'), lt(decidedMs, beforeMs)))
    .limit(sweptMax)
  const result = await q.delete(refusedReport).where(inArray(id, due))
  return result.rowCount ?? 0
}
