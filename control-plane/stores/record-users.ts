import { and, eq, inArray, sql } from 'drizzle-orm'
import type { Queryable, Transaction } from '../db/connect.ts'
import { record } from '../db/schema.ts'

/** Notes whose calls rows are. */
export async function noteUsers(
  q: Queryable,
  users: readonly { readonly id: string; readonly timeMs: number; readonly userHash: string }[],
): Promise<void> {
  if (users.length === 0) return
  const rows = users.map(({ id, timeMs, userHash }) => ({
    id,
    time: new Date(timeMs).toISOString(),
    userHash,
  }))
  await q.execute(sql`update record set user_hash = known."userHash"
    from json_to_recordset(${JSON.stringify(rows)}::json) as known(id uuid, time timestamptz, "userHash" text)
    where record.id = known.id and record.time = known.time`)
}

/** Segments that hold records of an end user: so many at most, and whether they are all. */
export async function findUserSegments(
  q: Queryable,
  who: { readonly organisationId: string; readonly userHash: string },
  limit: number,
): Promise<{ readonly digests: string[]; readonly all: boolean }> {
  const rows = await q
    .selectDistinct({ digest: record.segmentDigest })
    .from(record)
    .where(and(eq(record.organisationId, who.organisationId), eq(record.userHash, who.userHash)))
    .limit(limit + 1)
  return { digests: rows.slice(0, limit).map(({ digest }) => digest), all: rows.length <= limit }
}

/** Takes an end user, and what his calls said of themselves, out of the rows of segments. */
export async function forgetUser(
  tx: Transaction,
  who: { readonly organisationId: string; readonly userHash: string },
  digests: readonly string[],
): Promise<void> {
  if (digests.length === 0) return
  const own = and(
    eq(record.organisationId, who.organisationId),
    eq(record.userHash, who.userHash),
    inArray(record.segmentDigest, [...digests]),
  )
  await tx.update(record).set({ userHash: null, metadata: {} }).where(own)
}
