import { and, desc, eq, inArray, lt, lte, type SQL, sql } from 'drizzle-orm'
import type { Queryable } from '../db/connect.ts'
import { drillRun, drillSchedule } from '../db/schema.ts'

export type ScheduleRow = typeof drillSchedule.$inferSelect
export type RunRow = typeof drillRun.$inferSelect
/** A route: what schedules and runs are of. */
export interface DrillPlace {
  readonly organisationId: string
  readonly environment: string
  readonly model: string
}

/** Runs are kept for so long. */
const keptMs = 90 * 86_400_000
const runsShown = 20

const iso = (timeMs: number): string => new Date(timeMs).toISOString()
const isSchedule = (place: DrillPlace): SQL | undefined =>
  and(
    eq(drillSchedule.organisationId, place.organisationId),
    eq(drillSchedule.environment, place.environment),
    eq(drillSchedule.model, place.model),
  )

export async function findSchedule(q: Queryable, place: DrillPlace): Promise<ScheduleRow | undefined> {
  return (await q.select().from(drillSchedule).where(isSchedule(place)))[0]
}

/** Puts a schedule in the place of the route's former one. */
export async function saveSchedule(q: Queryable, row: ScheduleRow): Promise<void> {
  const { id: _, createdMs: _created, createdBy: _by, ...set } = row
  const { organisationId, environment, model } = drillSchedule
  await q
    .insert(drillSchedule)
    .values(row)
    .onConflictDoUpdate({ target: [organisationId, environment, model], set })
}

/** The schedule that was deleted; undefined where there is none. */
export async function deleteSchedule(
  q: Queryable,
  organisationId: string,
  id: string,
): Promise<ScheduleRow | undefined> {
  const own = and(eq(drillSchedule.organisationId, organisationId), eq(drillSchedule.id, id))
  return (await q.delete(drillSchedule).where(own).returning())[0]
}

/** Takes a schedule that is due, and sets its next time: of several control planes one makes the run. */
export async function claimSchedule(q: Queryable, nowMs: number): Promise<ScheduleRow | undefined> {
  const due = q
    .select({ id: drillSchedule.id })
    .from(drillSchedule)
    .where(lte(drillSchedule.nextMs, nowMs))
    .orderBy(drillSchedule.nextMs)
    .limit(1)
    .for('update', { skipLocked: true })
  const next = sql`${iso(nowMs)}::timestamptz + ${drillSchedule.everyMs} * interval '1 millisecond'`
  const rows = await q
    .update(drillSchedule)
    .set({ nextMs: next })
    .where(inArray(drillSchedule.id, due))
    .returning()
  return rows[0]
}

/** Keeps a run, and forgets those of the route that are too old. */
export async function insertRun(q: Queryable, row: RunRow): Promise<void> {
  await q.insert(drillRun).values(row)
  await q
    .delete(drillRun)
    .where(and(eq(drillRun.organisationId, row.organisationId), lt(drillRun.timeMs, row.timeMs - keptMs)))
}

/** When runs of routes last held wholly, by environment and model. */
export async function lastProven(q: Queryable, organisationId: string): Promise<Map<string, number>> {
  const rows = await q
    .select({
      environment: drillRun.environment,
      model: drillRun.model,
      provenMs: sql<string>`(extract(epoch from max(${drillRun.timeMs})) * 1000)::bigint`,
    })
    .from(drillRun)
    .where(
      and(
        eq(drillRun.organisationId, organisationId),
        sql`${drillRun.held} = ${drillRun.count} and ${drillRun.count} > 0`,
      ),
    )
    .groupBy(drillRun.environment, drillRun.model)
  return new Map(rows.map((row) => [routeName(row), Number(row.provenMs)]))
}

/** One name for a route of an environment. */
export const routeName = ({ environment, model }: Pick<DrillPlace, 'environment' | 'model'>): string =>
  `${environment} ${model}`

/** The newest runs of each route, newest first. */
export async function newestRuns(q: Queryable, organisationId: string): Promise<Map<string, RunRow[]>> {
  const place = sql<number>`row_number() over (partition by ${drillRun.environment}, ${drillRun.model}
    order by ${drillRun.timeMs} desc)`
  const numbered = q
    .select({ id: drillRun.id, place: place.as('place') })
    .from(drillRun)
    .where(eq(drillRun.organisationId, organisationId))
    .as('numbered')
  const rows = await q
    .select({ run: drillRun })
    .from(drillRun)
    .innerJoin(numbered, eq(numbered.id, drillRun.id))
    .where(sql`${numbered.place} <= ${runsShown}`)
    .orderBy(desc(drillRun.timeMs), desc(drillRun.id))
  return Map.groupBy(
    rows.map(({ run }) => run),
    routeName,
  )
}

export async function listSchedules(q: Queryable, organisationId?: string): Promise<ScheduleRow[]> {
  const own = organisationId === undefined ? undefined : eq(drillSchedule.organisationId, organisationId)
  return await q
    .select()
    .from(drillSchedule)
    .where(own)
    .orderBy(drillSchedule.environment, drillSchedule.model)
}

/** Says whether an alert of a route is out, and who took it. */
export async function storeDrillAlert(
  q: Queryable,
  id: string,
  set: Pick<ScheduleRow, 'alertedMs' | 'toldTo'>,
): Promise<void> {
  await q.update(drillSchedule).set(set).where(eq(drillSchedule.id, id))
}
