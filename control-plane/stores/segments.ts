import { and, eq, isNull, sql } from 'drizzle-orm'
import type { Queryable, Transaction } from '../db/connect.ts'
import { segment } from '../db/schema.ts'

export type SegmentRow = typeof segment.$inferSelect

/** How many records a segment holds that is there already. */
export async function findSegmentRecords(
  q: Queryable,
  organisationId: string,
  digest: string,
): Promise<number | undefined> {
  const rows = await q
    .select({ records: segment.records })
    .from(segment)
    .where(and(eq(segment.organisationId, organisationId), eq(segment.digest, digest)))
  return rows[0]?.records
}

/**
 * Whether a segment continues its incarnation's chain: it names the segment before it, nobody else has named that one,
 * and only the first names none. Segments of an incarnation wait for each other here until the transaction ends.
 */
async function continuesChain(
  tx: Transaction,
  next: { readonly organisationId: string; readonly incarnation: string; readonly previous: string | null },
): Promise<boolean> {
  const lock = `segments ${next.incarnation}`
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${lock}, 0))`)
  const ofChain = and(
    eq(segment.organisationId, next.organisationId),
    eq(segment.incarnation, next.incarnation),
  )
  const sameLink = next.previous === null ? isNull(segment.previous) : eq(segment.previous, next.previous)
  const rivals = await tx
    .select({ digest: segment.digest })
    .from(segment)
    .where(and(ofChain, sameLink))
    .limit(1)
  if (rivals.length > 0) return false
  if (next.previous === null) return true
  const before = await tx
    .select({ digest: segment.digest })
    .from(segment)
    .where(and(ofChain, eq(segment.digest, next.previous)))
  return before.length === 1
}

/**
 * Keeps a segment. One that does not continue its chain is kept all the same, and flagged.
 * @returns Whether it was new, and whether it is a fork.
 */
export async function insertSegment(
  tx: Transaction,
  row: Omit<SegmentRow, 'fork'>,
): Promise<{ stored: boolean; fork: boolean }> {
  const fork = !(await continuesChain(tx, row))
  const result = await tx
    .insert(segment)
    .values({ ...row, fork })
    .onConflictDoNothing()
  return { stored: (result.rowCount ?? 0) > 0, fork }
}

/** The bytes of a segment as they came. */
export async function loadSegmentBytes(
  q: Queryable,
  organisationId: string,
  digest: string,
): Promise<Uint8Array | undefined> {
  const rows = await q
    .select({ bytes: segment.bytes })
    .from(segment)
    .where(and(eq(segment.organisationId, organisationId), eq(segment.digest, digest)))
  return rows[0]?.bytes ?? undefined
}

/** Segments that are not what they were: their bytes have another digest, or they do not continue their chain. */
export async function checkSegments(
  q: Queryable,
  organisationId: string,
  limit: number,
): Promise<{ count: number; broken: string[] }> {
  const own = eq(segment.organisationId, organisationId)
  const isChanged = sql`${segment.bytes} is not null
    and 'sha256:' || encode(sha256(${segment.bytes}), 'hex') <> ${segment.digest}`
  const rows = await q
    .select({ digest: segment.digest })
    .from(segment)
    .where(and(own, sql`(${segment.fork} or (${isChanged}))`))
    .limit(limit)
  return { count: await q.$count(segment, own), broken: rows.map(({ digest }) => digest) }
}
