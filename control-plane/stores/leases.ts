import { and, asc, eq, inArray, lt, type SQL, sql } from 'drizzle-orm'
import type { Queryable, Transaction } from '../db/connect.ts'
import { gateway, lease, settlement, settlementVoid } from '../db/schema.ts'

export type LeaseRow = typeof lease.$inferSelect
export type SettlementRow = typeof settlement.$inferSelect

const iso = (timeMs: number): string => new Date(timeMs).toISOString()
const json = (rows: readonly object[]): string =>
  JSON.stringify(rows, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))

/** The windows that a lease was deducted from. */
export function windowsOf(row: Pick<LeaseRow, 'budgetIds' | 'windowStarts'>) {
  return row.budgetIds.map((budgetId, index) => ({ budgetId, startMs: row.windowStarts[index] ?? 0 }))
}

/** Gateways of an organisation, by id, with their newest runs. */
export async function loadIncarnations(
  q: Queryable,
  gatewayIds: readonly string[],
): Promise<Map<string, string | null>> {
  const rows = await q
    .select({ id: gateway.id, incarnation: gateway.incarnation })
    .from(gateway)
    .where(inArray(gateway.id, [...new Set(gatewayIds)]))
  return new Map(rows.map((row) => [row.id, row.incarnation]))
}

/** No lease that a run reports on lasts longer than this from one report to the next; those of batches do. */
const heartbeatMsMax = 300_000

/** How many gateways share what is left: those that are connected, and those that hold leases. */
export async function countLiveGateways(
  q: Queryable,
  organisationId: string,
  nowMs: number,
): Promise<number> {
  const { rows } = await q.execute<{ count: string }>(sql`
    select count(*) as count from ${gateway} g
    where g.organisation_id = ${organisationId} and g.revoked is null and (g.connected_until > ${iso(nowMs)}
      or exists (select 1 from ${lease} l where l.gateway_id = g.id and l.state = 'active'
        and l.expires < ${iso(nowMs + heartbeatMsMax)}))`)
  return Number(rows[0]?.count ?? 0)
}

async function findLeases(q: Queryable, where: SQL | undefined): Promise<LeaseRow[]> {
  return q.select().from(lease).where(where).orderBy(asc(lease.id))
}

/** Leases of these ids, of the organisation. */
export async function loadLeases(
  q: Queryable,
  organisationId: string,
  ids: readonly string[],
): Promise<LeaseRow[]> {
  if (ids.length === 0) return []
  return findLeases(q, and(eq(lease.organisationId, organisationId), inArray(lease.id, [...ids])))
}

/** Locks leases whose budgets are locked already. */
export async function lockLeases(tx: Transaction, ids: readonly string[]): Promise<LeaseRow[]> {
  if (ids.length === 0) return []
  const rows = tx
    .select()
    .from(lease)
    .where(inArray(lease.id, [...ids]))
  return rows.orderBy(asc(lease.id)).for('no key update')
}

/** Active leases whose holder was not heard of in time, the longest first. */
export async function findExpired(
  q: Queryable,
  nowMs: number,
  limit: number,
): Promise<Pick<LeaseRow, 'id' | 'organisationId' | 'budgetIds'>[]> {
  return q
    .select({ id: lease.id, organisationId: lease.organisationId, budgetIds: lease.budgetIds })
    .from(lease)
    .where(and(eq(lease.state, 'active'), lt(lease.expiresMs, nowMs)))
    .orderBy(asc(lease.expiresMs))
    .limit(limit)
}

/** Leases of a budget that are not closed. */
export async function findOpenLeases(q: Queryable, budgetId: string): Promise<LeaseRow[]> {
  return findLeases(q, sql`${lease.state} <> 'closed' and ${lease.budgetIds} @> array[${budgetId}]::uuid[]`)
}

export async function insertLeases(tx: Transaction, rows: readonly LeaseRow[]): Promise<void> {
  if (rows.length === 0) return
  const flat = rows.map(({ budgetIds, windowStarts, createdMs, expiresMs, ...rest }) => ({
    ...rest,
    budgetIds,
    windowStarts: windowStarts.map(iso),
    created: iso(createdMs),
    expires: iso(expiresMs),
  }))
  await tx.execute(sql`
    insert into ${lease} (id, organisation_id, gateway_id, incarnation, budget_ids, window_starts, granted, amount,
      state, created, expires)
    select id, "organisationId", "gatewayId", incarnation, "budgetIds", "windowStarts", granted, amount, state, created,
      expires
    from jsonb_to_recordset(${json(flat)}::jsonb) as r(id uuid, "organisationId" uuid, "gatewayId" uuid,
      incarnation uuid, "budgetIds" uuid[], "windowStarts" timestamptz[], granted bigint, amount bigint, state text,
      created timestamptz, expires timestamptz)`)
}

/** Writes what reports change. */
export async function updateLeases(tx: Transaction, rows: readonly LeaseRow[]): Promise<void> {
  if (rows.length === 0) return
  const flat = rows.map(({ id, amount, settled, late, voided, state, expiresMs }) => ({
    ...{ id, amount, settled, late, voided, state },
    expires: iso(expiresMs),
  }))
  await tx.execute(sql`
    update ${lease} l set amount = r.amount, settled = r.settled, late = r.late, voided = r.voided, state = r.state,
      expires = r.expires
    from jsonb_to_recordset(${json(flat)}::jsonb) as r(id uuid, amount bigint, settled bigint, late bigint,
      voided bigint, state text, expires timestamptz)
    where l.id = r.id`)
}

export type NewSettlement = Omit<SettlementRow, 'organisationId'>
/** Settlements by what they are told apart by, so that those who store the same ones wait in the same order. */
function inOrder(rows: readonly NewSettlement[]): NewSettlement[] {
  const keyOf = (row: NewSettlement): string => `${row.callId} ${row.attempt} ${row.leaseId}`
  const distinct = new Map(rows.map((row) => [keyOf(row), row]))
  return [...distinct].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row)
}

/**
 * Stores settlements that are not there yet, of leases that the gateway has. Gives what they were billed beyond hold
 * and free lease, by lease.
 */
export async function insertSettlements(
  q: Queryable,
  from: { readonly organisationId: string; readonly gatewayId: string },
  given: readonly NewSettlement[],
): Promise<Map<string, bigint>> {
  if (given.length === 0) return new Map()
  const rows = inOrder(given)
  // Arrays are read several times faster than documents, and this is the ledger's widest road.
  const column = (name: keyof NewSettlement) => sql.param(rows.map((row) => String(row[name])))
  const times = sql.param(rows.map((row) => iso(row.timeMs)))
  const added = await q.execute<{ leaseId: string; overrun: string }>(sql`
    with added as (
      insert into ${settlement} (organisation_id, call_id, attempt, lease_id, hold, actual, overrun, evidence, time)
      select ${from.organisationId}, r.* from unnest(${column('callId')}::uuid[], ${column('attempt')}::int[],
        ${column('leaseId')}::uuid[], ${column('hold')}::bigint[], ${column('actual')}::bigint[],
        ${column('overrun')}::bigint[], ${column('evidence')}::text[], ${times}::timestamptz[])
        as r(call_id, attempt, lease_id, hold, actual, overrun, evidence, time)
      where r.lease_id in (select l.id from ${lease} l where l.gateway_id = ${from.gatewayId}
        and l.id = any(${sql.param([...new Set(rows.map((row) => row.leaseId))])}::uuid[]))
      on conflict do nothing
      returning lease_id, overrun
    ) select lease_id as "leaseId", sum(overrun)::bigint as overrun from added where overrun > 0 group by lease_id`)
  return new Map(added.rows.map((row) => [row.leaseId, BigInt(row.overrun)]))
}

/** One settlement, and whether it was taken back. */
export async function findSettlement(
  q: Queryable,
  organisationId: string,
  key: Pick<SettlementRow, 'callId' | 'attempt' | 'leaseId'>,
): Promise<(SettlementRow & { readonly voided: boolean }) | undefined> {
  const [row] = await q
    .select({ settlement, voided: settlementVoid.callId })
    .from(settlement)
    .leftJoin(
      settlementVoid,
      and(
        eq(settlementVoid.callId, settlement.callId),
        eq(settlementVoid.attempt, settlement.attempt),
        eq(settlementVoid.leaseId, settlement.leaseId),
      ),
    )
    .where(
      and(
        eq(settlement.organisationId, organisationId),
        eq(settlement.callId, key.callId),
        eq(settlement.attempt, key.attempt),
        eq(settlement.leaseId, key.leaseId),
      ),
    )
  return row === undefined ? undefined : { ...row.settlement, voided: row.voided !== null }
}

export async function insertVoid(tx: Transaction, row: typeof settlementVoid.$inferSelect): Promise<void> {
  await tx.insert(settlementVoid).values(row)
}
