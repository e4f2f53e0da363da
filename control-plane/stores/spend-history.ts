import { sql } from 'drizzle-orm'
import type { Queryable } from '../db/connect.ts'
import { budget, budgetAlert, budgetWindow, transfer } from '../db/schema.ts'

const iso = (timeMs: number): string => new Date(timeMs).toISOString()

/** A window that runs and costs something. */
export interface RunningWindow extends Record<string, unknown> {
  readonly organisationId: string
  readonly budgetId: string
  readonly timeZone: string
  readonly startMs: number
  readonly endMs: number
  readonly spent: bigint
  readonly limit: bigint
}

/** Windows with an end that run, cost something, and of which no forecast was told yet. */
export async function listUntoldWindows(q: Queryable, nowMs: number): Promise<RunningWindow[]> {
  const { rows } = await q.execute<Record<string, unknown>>(sql`
    select w.organisation_id, w.budget_id, b.time_zone, (extract(epoch from w.start) * 1000)::bigint as start,
      (extract(epoch from w."end") * 1000)::bigint as "end", (w.settled + w.overrun)::text as spent,
      coalesce(case when b.override_until > ${iso(nowMs)} then b.override_limit end, b.limit_amount)::text as "limit"
    from ${budgetWindow} w join ${budget} b on b.id = w.budget_id and b.deleted is null
    where w.start <= ${iso(nowMs)} and w."end" > ${iso(nowMs)} and w.settled + w.overrun > 0
      and not exists (select 1 from ${budgetAlert} a where a.budget_id = w.budget_id and a.window_start = w.start
        and a.kind = 'forecast')
    order by w.budget_id limit 1000`)
  return rows.map((row) => ({
    organisationId: String(row.organisation_id),
    budgetId: String(row.budget_id),
    timeZone: String(row.time_zone),
    startMs: Number(row.start),
    endMs: Number(row.end),
    spent: BigInt(String(row.spent)),
    limit: BigInt(String(row.limit)),
  }))
}

/** No window is longer than another of its kind by more than this: February and its neighbours. */
const lengthSpread = 1.2

/** What a budget cost on each local day since a time, by the day's start; its windows are as long as `windowMs`. */
export async function spendByLocalDay(
  q: Queryable,
  of: {
    readonly budgetId: string
    readonly timeZone: string
    readonly sinceMs: number
    readonly windowMs: number
  },
): Promise<Map<number, bigint>> {
  // Transfers are found by their window.
  const firstWindowMs = Math.floor(of.sinceMs - lengthSpread * of.windowMs)
  const { rows } = await q.execute<{ day: string; amount: string }>(sql`
    select (extract(epoch from date_trunc('day', t.time, ${of.timeZone})) * 1000)::bigint as day,
      sum(t.settled + t.overrun)::text as amount
    from ${transfer} t where t.budget_id = ${of.budgetId} and t.window_start >= ${iso(firstWindowMs)}
      and t.time >= ${iso(of.sinceMs)} group by 1`)
  return new Map(rows.map(({ day, amount }) => [Number(day), BigInt(amount)]))
}

/** Raises the alert of a forecast, once a window. Gives whether it is new. */
export async function insertForecastAlert(
  q: Queryable,
  { organisationId, budgetId, startMs, spent, limit }: RunningWindow,
  told: { readonly projected: bigint; readonly timeMs: number },
): Promise<boolean> {
  const row = { organisationId, budgetId, windowStartMs: startMs, kind: 'forecast' as const, thresholdPpm: 0 }
  const added = await q
    .insert(budgetAlert)
    .values({ ...row, spent, limit, ...told })
    .onConflictDoNothing()
    .returning({ id: budgetAlert.id })
  return added.length > 0
}
