import { retentionDefaults } from '@signalbox/sdk/contract'
import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../db/connect.ts'
import { listPartitions, type Partition } from '../db/partitions.ts'
import type { PlacedRetention } from './retention.ts'

const dayMs = 86_400_000
/** Rows that one statement deletes. */
const rowsMax = 5000

const underNode = (rule: PlacedRetention): SQL => sql`node_id in (
  select n.id from node n where n.organisation_id = ${rule.organisationId}
    and (${rule.nodePath} = '' or n.path = ${rule.nodePath} or starts_with(n.path, ${`${rule.nodePath}/`})))`

/** The rows that a rule is about. */
function coveredBy(rule: PlacedRetention): SQL {
  if (rule.environment !== null) return sql`environment = ${rule.environment}`
  return rule.keyId !== null ? sql`key_id = ${rule.keyId}` : underNode(rule)
}

/** Deletes rows of before that a condition selects; at most 5,000. Gives how many. */
async function deleteRows(
  db: Database,
  organisationId: string,
  { beforeMs, which }: { readonly beforeMs: number; readonly which: SQL },
): Promise<number> {
  const before = new Date(beforeMs).toISOString()
  const result = await db.execute(sql`delete from record where (id, time) in (
    select id, time from record where organisation_id = ${organisationId}
      and time < ${before}::timestamptz and ${which} order by time limit ${rowsMax})`)
  return result.rowCount ?? 0
}

/** Begin of the first day that is kept. */
export function horizonOf(nowMs: number, days: number): number {
  return (Math.floor(nowMs / dayMs) - days) * dayMs
}

/**
 * Deletes rows that are kept for a shorter time than others of their days; whole days go with their partitions.
 * Bounded: a few thousand rows for each rule. Gives how many went.
 */
export async function deleteExpiredRows(
  db: Database,
  organisationId: string,
  { rules, nowMs }: { readonly rules: readonly PlacedRetention[]; readonly nowMs: number },
): Promise<number> {
  let deleted = 0
  for (const rule of rules) {
    if (rule.rowDays === null) continue
    const beforeMs = horizonOf(nowMs, rule.rowDays)
    deleted += await deleteRows(db, organisationId, { beforeMs, which: coveredBy(rule) })
  }
  const longer = rules.filter(({ rowDays }) => rowDays === null || rowDays > retentionDefaults.rowDays)
  if (longer.length === 0) return deleted
  const which = sql`not coalesce(${sql.join(longer.map(coveredBy), sql` or `)}, false)`
  const beforeMs = horizonOf(nowMs, retentionDefaults.rowDays)
  return deleted + (await deleteRows(db, organisationId, { beforeMs, which }))
}

/** Drops the partitions of days that nobody keeps rows of any more, the oldest first; a few at a time. */
export async function dropExpiredDays(
  db: Database,
  { nowMs, rowDaysMax }: { readonly nowMs: number; readonly rowDaysMax: number },
): Promise<Partition[]> {
  if (!Number.isFinite(rowDaysMax)) return []
  const horizonMs = horizonOf(nowMs, rowDaysMax)
  const expired = (await listPartitions(db)).filter(({ dayStartMs }) => dayStartMs + dayMs <= horizonMs)
  const dropped = expired.slice(0, 8)
  for (const { name, detaching } of dropped) {
    const table = sql.identifier(name)
    // Apart from a transaction: neither readers nor writers of other days wait for it.
    await db.execute(
      detaching
        ? sql`alter table record detach partition ${table} finalize`
        : sql`alter table record detach partition ${table} concurrently`,
    )
    await db.execute(sql`drop table ${table}`)
  }
  return dropped
}
