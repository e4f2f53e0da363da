import { and, desc, eq, sql } from 'drizzle-orm'
import type { Queryable } from '../db/connect.ts'
import {
  apiKey,
  budget,
  budgetAlert,
  budgetWindow,
  lease,
  node,
  record,
  settlement,
  settlementVoid,
  transfer,
} from '../db/schema.ts'
import type { Reach } from '../identity/grants.ts'
import type { WindowKey } from './ledger-book.ts'
import { withinReach } from './nodes.ts'

const iso = (timeMs: number): string => new Date(timeMs).toISOString()

/** The settlements of a window with the records of their calls, as far as these have come in. */
const ofWindow = ({ budgetId, startMs }: WindowKey) => sql`
  from ${settlement} s
  left join ${settlementVoid} v on v.call_id = s.call_id and v.attempt = s.attempt and v.lease_id = s.lease_id
  left join ${record} r on r.id = s.call_id and r.organisation_id = s.organisation_id
  left join ${apiKey} k on k.id = r.key_id
  where s.lease_id in (select t.lease_id from ${transfer} t
    where t.budget_id = ${budgetId} and t.window_start = ${iso(startMs)} and t.kind = 'grant')`

export interface SpendShare {
  readonly amount: string
  readonly attempts: number
}
interface ShareRow extends Record<string, unknown> {
  readonly amount: string
  readonly attempts: number
}
/** An attempt is settled once for each lease that it held of, so its rows are not counted. */
const share = sql`sum(s.actual)::text as amount, count(distinct (s.call_id, s.attempt))::int as attempts`
const order = sql`order by sum(s.actual) desc limit 1000`

/** What each key has spent in a window; null where the record of a call is not there. */
export async function spendByKey(
  q: Queryable,
  window: WindowKey,
): Promise<(SpendShare & { keyId: string | null; name: string | null })[]> {
  type Row = ShareRow & { keyId: string | null; name: string | null }
  const { rows } = await q.execute<Row>(
    sql`select r.key_id as "keyId", k.name, ${share} ${ofWindow(window)} and v.call_id is null group by 1, 2 ${order}`,
  )
  return rows
}

/** What went to each target in a window. */
export async function spendByTarget(
  q: Queryable,
  window: WindowKey,
): Promise<(SpendShare & { target: string | null })[]> {
  const { rows } = await q.execute<ShareRow & { target: string | null }>(
    sql`select r.target, ${share} ${ofWindow(window)} and v.call_id is null group by 1 ${order}`,
  )
  return rows
}

/** What was spent on each day of a zone, oldest first. */
export async function spendByDay(
  q: Queryable,
  window: WindowKey,
  timeZone: string,
): Promise<(SpendShare & { dayMs: number })[]> {
  const { rows } = await q.execute<ShareRow & { day: string }>(sql`
    select (extract(epoch from date_trunc('day', s.time, ${timeZone})) * 1000)::bigint as day, ${share}
    ${ofWindow(window)} and v.call_id is null group by 1 order by 1 limit 1000`)
  return rows.map(({ day, amount, attempts }) => ({ dayMs: Number(day), amount, attempts }))
}

export interface DearCall {
  readonly callId: string
  readonly attempt: number
  readonly leaseId: string
  readonly timeMs: number
  readonly hold: string
  readonly actual: string
  readonly overrun: string
  readonly evidence: 'reported' | 'estimated' | 'hold'
  readonly keyId: string | null
  readonly target: string | null
  readonly voided: boolean
}

/** The attempts of a window, dearest first. */
export async function dearestCalls(q: Queryable, window: WindowKey, limit: number): Promise<DearCall[]> {
  type Row = Omit<DearCall, 'timeMs'> & { timeMs: string }
  const { rows } = await q.execute<Row & Record<string, unknown>>(sql`
    select s.call_id as "callId", s.attempt, s.lease_id as "leaseId",
      (extract(epoch from s.time) * 1000)::bigint as "timeMs", s.hold::text, s.actual::text, s.overrun::text,
      s.evidence, r.key_id as "keyId", r.target, v.call_id is not null as voided
    ${ofWindow(window)} order by s.actual desc, s.time desc limit ${limit}`)
  return rows.map((row) => ({ ...row, timeMs: Number(row.timeMs) }))
}

/** All that was spent by attempts that are known and stand. */
export async function explainedSpend(q: Queryable, window: WindowKey): Promise<bigint> {
  const { rows } = await q.execute<{ amount: string }>(
    sql`select coalesce(sum(s.actual), 0)::text as amount ${ofWindow(window)} and v.call_id is null`,
  )
  return BigInt(rows[0]?.amount ?? 0)
}

/** An alert with what its budget counts. */
export type AlertRow = typeof budgetAlert.$inferSelect &
  Pick<typeof budget.$inferSelect, 'unit' | 'window' | 'mode'>

/** Alerts of an organisation, newest first. */
export async function listAlerts(
  q: Queryable,
  where: { readonly organisationId: string; readonly reach: Reach; readonly limit: number },
): Promise<AlertRow[]> {
  const { organisationId, reach, limit } = where
  const rows = await q
    .select({ alert: budgetAlert, unit: budget.unit, window: budget.window, mode: budget.mode })
    .from(budgetAlert)
    .innerJoin(budget, eq(budget.id, budgetAlert.budgetId))
    .leftJoin(apiKey, eq(apiKey.id, budget.keyId))
    .innerJoin(node, eq(node.id, sql`coalesce(${budget.nodeId}, ${apiKey.nodeId})`))
    .where(and(eq(budgetAlert.organisationId, organisationId), withinReach(reach)))
    .orderBy(desc(budgetAlert.timeMs), desc(budgetAlert.thresholdPpm))
    .limit(limit)
  return rows.map(({ alert, ...of }) => ({ ...alert, ...of }))
}

/** One alert, of whatever organisation. */
export async function findAlert(q: Queryable, id: string): Promise<AlertRow | undefined> {
  const [row] = await q
    .select({ alert: budgetAlert, unit: budget.unit, window: budget.window, mode: budget.mode })
    .from(budgetAlert)
    .innerJoin(budget, eq(budget.id, budgetAlert.budgetId))
    .where(eq(budgetAlert.id, id))
  return row === undefined ? undefined : { ...row.alert, unit: row.unit, window: row.window, mode: row.mode }
}

export interface Sums {
  readonly settled: string
  readonly leased: string
  readonly stranded: string
  readonly overrun: string
}
export interface WindowCheck extends WindowKey {
  readonly kept: Sums
  readonly transfers: Sums
  readonly leases: Sums
}
const sumNames = ['settled', 'leased', 'stranded', 'overrun'] as const
const sumsOf = (row: Record<string, unknown>, prefix: string): Sums => {
  const [settled = '', leased = '', stranded = '', overrun = ''] = sumNames.map((name) =>
    String(row[`${prefix}_${name}`]),
  )
  return { settled, leased, stranded, overrun }
}

/**
 * Adds up every window of an organisation anew: from its transfers, and from the leases that were deducted from it.
 * Overrun is billed beyond leases and what people corrected is in no lease: these parts are taken from transfers.
 */
export async function checkWindows(
  q: Queryable,
  organisationId: string,
): Promise<{ windows: number; transfers: number; differences: WindowCheck[] }> {
  const { rows } = await q.execute<Record<string, unknown>>(sql`
    with moved as (
      select budget_id, window_start, count(*) as transfers, sum(settled) as settled, sum(leased) as leased,
        sum(stranded) as stranded, sum(overrun) as overrun,
        sum(settled) filter (where kind in ('void', 'settleOverrun')) as corrected
      from ${transfer} where organisation_id = ${organisationId} group by 1, 2
    ), held as (
      select b.budget_id, b.window_start, sum(l.settled) as settled,
        sum(l.amount - l.settled) filter (where l.state = 'active') as leased,
        sum(l.amount - l.settled) filter (where l.state = 'stranded') as stranded
      from ${lease} l, unnest(l.budget_ids, l.window_starts) as b(budget_id, window_start)
      where l.organisation_id = ${organisationId} group by 1, 2
    )
    select w.budget_id, (extract(epoch from w.start) * 1000)::bigint as start, coalesce(m.transfers, 0) as transfers,
      w.settled as kept_settled, w.leased as kept_leased, w.stranded as kept_stranded, w.overrun as kept_overrun,
      coalesce(m.settled, 0) as moved_settled, coalesce(m.leased, 0) as moved_leased,
      coalesce(m.stranded, 0) as moved_stranded, coalesce(m.overrun, 0) as moved_overrun,
      coalesce(h.settled, 0) + coalesce(m.corrected, 0) as held_settled, coalesce(h.leased, 0) as held_leased,
      coalesce(h.stranded, 0) as held_stranded, coalesce(m.overrun, 0) as held_overrun
    from ${budgetWindow} w
    left join moved m on m.budget_id = w.budget_id and m.window_start = w.start
    left join held h on h.budget_id = w.budget_id and h.window_start = w.start
    where w.organisation_id = ${organisationId} order by 1, 2`)
  const checks = rows.map((row) => ({
    budgetId: String(row.budget_id),
    startMs: Number(row.start),
    kept: sumsOf(row, 'kept'),
    transfers: sumsOf(row, 'moved'),
    leases: sumsOf(row, 'held'),
  }))
  const differs = ({ kept, transfers, leases }: WindowCheck): boolean =>
    sumNames.some((name) => kept[name] !== transfers[name] || kept[name] !== leases[name])
  const transfers = rows.reduce((sum, row) => sum + Number(row.transfers), 0)
  return { windows: rows.length, transfers, differences: checks.filter(differs) }
}
