import { digestOf } from '@signalbox/sdk/node'
import { and, asc, eq, gt, inArray, isNull, lte, sql } from 'drizzle-orm'
import type { Queryable, Transaction } from '../db/connect.ts'
import { gateway, segment } from '../db/schema.ts'
import type { SegmentOwner } from '../db/tables/records.ts'

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
  row: Omit<SegmentRow, 'fork' | 'keptDigest' | 'removal'>,
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

/** A segment that something may be taken out of. */
export interface KeptSegment extends Pick<SegmentRow, 'digest' | 'owners' | 'keptDigest'> {
  readonly environment: string
  readonly bytes: Uint8Array | null
  readonly receivedMs: number
}

const keptColumns = {
  digest: segment.digest,
  owners: segment.owners,
  keptDigest: segment.keptDigest,
  environment: gateway.environment,
  receivedMs: segment.receivedMs,
}

/** Segments after one in the order of their digests, without their bytes. */
export async function listSegments(
  q: Queryable,
  organisationId: string,
  { after, limit }: { readonly after: string; readonly limit: number },
): Promise<Omit<KeptSegment, 'bytes'>[]> {
  return await q
    .select(keptColumns)
    .from(segment)
    .innerJoin(gateway, eq(gateway.id, segment.gatewayId))
    .where(
      and(
        eq(segment.organisationId, organisationId),
        gt(segment.digest, after),
        sql`${segment.bytes} is not null`,
      ),
    )
    .orderBy(asc(segment.digest))
    .limit(limit)
}

/** Locks segments by their digests, with their bytes. */
export async function lockSegments(
  tx: Transaction,
  organisationId: string,
  digests: readonly string[],
): Promise<KeptSegment[]> {
  if (digests.length === 0) return []
  return await tx
    .select({ ...keptColumns, bytes: segment.bytes })
    .from(segment)
    .innerJoin(gateway, eq(gateway.id, segment.gatewayId))
    .where(and(eq(segment.organisationId, organisationId), inArray(segment.digest, [...digests])))
    .orderBy(asc(segment.digest))
    .for('update', { of: segment })
}

/** Whose records stand in segments. */
export async function loadOwners(
  q: Queryable,
  organisationId: string,
  digests: readonly string[],
): Promise<SegmentOwner[]> {
  if (digests.length === 0) return []
  const rows = await q
    .select({ owners: segment.owners })
    .from(segment)
    .where(and(eq(segment.organisationId, organisationId), inArray(segment.digest, [...digests])))
  return rows.flatMap(({ owners }) => owners ?? [])
}

/** Notes when the first of the bodies that a segment still holds must go. */
export async function noteDue(
  q: Queryable,
  organisationId: string,
  { digest, dueMs }: Pick<SegmentRow, 'digest' | 'dueMs'>,
): Promise<void> {
  await q
    .update(segment)
    .set({ dueMs })
    .where(and(eq(segment.organisationId, organisationId), eq(segment.digest, digest)))
}

/** Digests of segments whose first body must have gone by now; `whole`: all bodies of them must. */
export async function listDueSegments(
  q: Queryable,
  organisationId: string,
  due: { readonly nowMs: number; readonly whole: boolean; readonly limit: number },
): Promise<string[]> {
  const now = new Date(due.nowMs).toISOString()
  const gone = sql`coalesce(${segment.goneMs} <= ${now}::timestamptz, false)`
  const rows = await q
    .select({ digest: segment.digest })
    .from(segment)
    .where(
      and(
        eq(segment.organisationId, organisationId),
        lte(segment.dueMs, due.nowMs),
        due.whole ? gone : sql`not ${gone}`,
      ),
    )
    .orderBy(asc(segment.dueMs))
    .limit(due.limit)
  return rows.map(({ digest }) => digest)
}

/** Notes whose records a segment holds, and when bodies of it must go. */
export async function noteExpiry(
  q: Queryable,
  organisationId: string,
  change: Pick<SegmentRow, 'digest' | 'owners' | 'dueMs' | 'goneMs'>,
): Promise<void> {
  const { digest, owners, dueMs, goneMs } = change
  await q
    .update(segment)
    .set({ owners, dueMs, goneMs })
    .where(and(eq(segment.organisationId, organisationId), eq(segment.digest, digest)))
}

/** Puts bytes without some bodies in the place of those that came. `removal`: the audit row that says so. */
export async function replaceBytes(
  tx: Transaction,
  organisationId: string,
  change: {
    readonly digest: string
    readonly bytes: Uint8Array
    readonly keptDigest: string
    readonly dueMs: number | null
    readonly removal: number
  },
): Promise<void> {
  const { digest, ...set } = change
  await tx
    .update(segment)
    .set(set)
    .where(and(eq(segment.organisationId, organisationId), eq(segment.digest, digest)))
}

/** Lets the bytes of segments go; their place in their chains stays. */
export async function dropBytes(
  tx: Transaction,
  organisationId: string,
  digests: readonly string[],
  removal: number,
): Promise<void> {
  await tx
    .update(segment)
    .set({ bytes: null, keptDigest: null, dueMs: null, removal })
    .where(and(eq(segment.organisationId, organisationId), inArray(segment.digest, [...digests])))
}

/** Forgets dropped segments that came before, whole removals at a time. Gives how many there were. */
export async function forgetSegments(
  q: Queryable,
  organisationId: string,
  beforeMs: number,
): Promise<number> {
  const before = new Date(beforeMs).toISOString()
  const result =
    await q.execute(sql`delete from segment where organisation_id = ${organisationId} and removal in (
    select removal from segment where organisation_id = ${organisationId} and bytes is null and removal is not null
    group by removal having max(received) < ${before}::timestamptz order by removal limit 4)`)
  return result.rowCount ?? 0
}

/** What an audit row says of segments whose bytes it took: one line each, in order. */
export function dropRootOf(digests: readonly string[]): string {
  return digestOf([...digests].sort().join('\n'))
}

/**
 * Segments that are not what they were. Bytes must have the digest that they came with, or the one that an audit row
 * gives for it; bytes that are gone must be of a removal whose audit row has the digest over all of its segments; and
 * the segment before each one must be there.
 */
export async function checkSegments(
  q: Queryable,
  organisationId: string,
  limit: number,
): Promise<{ count: number; broken: string[] }> {
  const own = eq(segment.organisationId, organisationId)
  const isChanged = sql`${segment.bytes} is not null
    and 'sha256:' || encode(sha256(${segment.bytes}), 'hex') <> coalesce(${segment.keptDigest}, ${segment.digest})`
  const isUnexplained = sql`${segment.keptDigest} is not null and not exists (
    select from audit a where a.organisation_id = ${segment.organisationId} and a.sequence = ${segment.removal}
      and a.detail -> 'segments' ->> ${segment.digest} = ${segment.keptDigest})`
  const isGone = sql`${segment.bytes} is null and not exists (
    select from audit a where a.organisation_id = ${segment.organisationId} and a.sequence = ${segment.removal}
      and a.detail ->> 'root' = (select 'sha256:' || encode(sha256(convert_to(
        string_agg(s.digest, E'\n' order by s.digest collate "C"), 'UTF8')), 'hex')
        from segment s where s.organisation_id = a.organisation_id and s.removal = a.sequence and s.bytes is null))`
  const isLoose = sql`${segment.bytes} is not null and ${segment.previous} is not null and not exists (
    select from segment b where b.organisation_id = ${segment.organisationId} and b.digest = ${segment.previous}
      and b.incarnation = ${segment.incarnation})`
  const rows = await q
    .select({ digest: segment.digest })
    .from(segment)
    .where(
      and(own, sql`(${segment.fork} or (${isChanged}) or (${isUnexplained}) or (${isGone}) or (${isLoose}))`),
    )
    .limit(limit)
  return { count: await q.$count(segment, own), broken: rows.map(({ digest }) => digest) }
}
