import type { ReplyOf, recordOperations } from '@signalbox/sdk/contract'
import { and, eq, gte, lt, sql } from 'drizzle-orm'
import type { Queryable } from '../db/connect.ts'
import { record, recordGap } from '../db/schema.ts'
import { inRollupRange, medianOf, summed, targetStepMs } from './rollups.ts'
import { addTotals, decodeTotals, nothing, type Totals, type TotalsRow } from './totals.ts'

export type Overview = ReplyOf<(typeof recordOperations)['getOverview']>

/** Time that an overview covers, in equal steps. */
export interface OverviewRange {
  readonly environment: string | undefined
  /** Only calls under these nodes; all where left out. */
  readonly nodes?: readonly string[] | undefined
  readonly sinceMs: number
  /** Not included. */
  readonly untilMs: number
  readonly stepMs: number
}

/** Targets that are listed, those with the most calls first. */
const targetsMax = 50

const totals = {
  calls: sql<number>`count(*)::int`,
  errors: sql<number>`(count(*) filter (where ${record.effect} <> 'deny' and ${record.status} >= 400 and ${record.status} <> 499))::int`,
  denied: sql<number>`(count(*) filter (where ${record.effect} = 'deny'))::int`,
  costNanoUsd: sql<string>`coalesce(sum(${record.costNanoUsd}), 0)::text`,
  unpriced: sql<number>`(count(*) filter
    (where ${record.costNanoUsd} is null and ${record.inputTokens} + ${record.outputTokens} > 0))::int`,
  inputTokens: sql<string>`coalesce(sum(${record.inputTokens}), 0)::text`,
  outputTokens: sql<string>`coalesce(sum(${record.outputTokens}), 0)::text`,
}
const inRange = (organisationId: string, range: OverviewRange) =>
  and(inTime(organisationId, range), eq(record.direct, false))

function inTime(organisationId: string, range: OverviewRange) {
  return and(
    eq(record.organisationId, organisationId),
    range.environment === undefined ? undefined : eq(record.environment, range.environment),
    range.nodes === undefined ? undefined : sql`${record.nodeId} = any(${sql.param([...range.nodes])})`,
    gte(record.timeMs, range.sinceMs),
    lt(record.timeMs, range.untilMs),
  )
}

/** Every step of the range, those without calls too. */
function fillSteps(range: OverviewRange, byStep: ReadonlyMap<number, Totals>): Overview['series'] {
  const steps = Math.ceil((range.untilMs - range.sinceMs) / range.stepMs)
  return Array.from({ length: steps }, (_, index) => ({
    timeMs: range.sinceMs + index * range.stepMs,
    ...(byStep.get(index) ?? nothing),
  }))
}

async function loadSeries(
  q: Queryable,
  organisationId: string,
  range: OverviewRange,
): Promise<Overview['series']> {
  const step = sql<number>`floor((extract(epoch from ${record.timeMs}) * 1000 - ${range.sinceMs}::bigint)
    / ${range.stepMs}::bigint)::int`
  const rows = await q
    .select({ step, ...totals })
    .from(record)
    .where(inRange(organisationId, range))
    .groupBy(sql`1`)
  return fillSteps(range, new Map(rows.map((row) => [row.step, decodeTotals(row)])))
}

/** What the cache did, and what its answers would have cost. */
async function loadCache(
  q: Queryable,
  organisationId: string,
  range: OverviewRange,
): Promise<Overview['cache']> {
  const [row] = await q
    .select({
      hits: sql<number>`(count(*) filter (where ${record.cache} = 'hit'))::int`,
      misses: sql<number>`(count(*) filter (where ${record.cache} = 'miss'))::int`,
      savedNanoUsd: sql<string>`coalesce(sum(${record.savedNanoUsd}), 0)::text`,
    })
    .from(record)
    .where(and(inRange(organisationId, range), sql`${record.cache} <> 'off'`))
  return row ?? { hits: 0, misses: 0, savedNanoUsd: '0' }
}

/** Calls that callers made past the gateways: a line of its own, as no budget paid for them. */
async function loadDirect(
  q: Queryable,
  organisationId: string,
  range: OverviewRange,
): Promise<Overview['direct']> {
  const rows = await q
    .select(totals)
    .from(record)
    .where(and(inTime(organisationId, range), eq(record.direct, true)))
  return rows[0] === undefined ? nothing : decodeTotals(rows[0])
}

async function loadTargets(
  q: Queryable,
  organisationId: string,
  range: OverviewRange,
): Promise<Overview['byTarget']> {
  const rows = await q
    .select({
      target: sql<string>`${record.target}`,
      durationMsP50: sql<number>`percentile_cont(0.5) within group (order by ${record.durationMs})`,
      ...totals,
    })
    .from(record)
    .where(and(inRange(organisationId, range), sql`${record.target} is not null`))
    .groupBy(record.target)
    .orderBy(sql`count(*) desc`, record.target)
    .limit(targetsMax)
  return rows.map(({ target, durationMsP50, ...row }) => ({ target, durationMsP50, ...decodeTotals(row) }))
}

async function countLost(q: Queryable, organisationId: string, range: OverviewRange): Promise<number> {
  // Whose a lost record was, nobody knows.
  if (range.nodes !== undefined) return 0
  const rows = await q
    .select({
      lost: sql<string>`coalesce(sum(${recordGap.toSequence} - ${recordGap.fromSequence} + 1), 0)::text`,
    })
    .from(recordGap)
    .where(
      and(
        eq(recordGap.organisationId, organisationId),
        range.environment === undefined ? undefined : eq(recordGap.environment, range.environment),
        gte(recordGap.timeMs, range.sinceMs),
        lt(recordGap.timeMs, range.untilMs),
      ),
    )
  return Number(rows[0]?.lost ?? 0)
}

interface StepRow extends Record<string, unknown>, TotalsRow {
  readonly step: number
}
interface TargetRow extends Record<string, unknown>, TotalsRow {
  readonly target: string
  readonly durations: Record<string, number>
}

/** Sums of whole steps of five minutes, which are there when the rows are gone. */
async function loadSummedSeries(q: Queryable, organisationId: string, range: OverviewRange) {
  const { rows } = await q.execute<StepRow>(sql`
    select floor((extract(epoch from time) * 1000 - ${range.sinceMs}::bigint) / ${range.stepMs}::bigint)::int as step,
      ${summed} from record_rollup where ${inRollupRange(organisationId, { ...range, kind: 'target' })} group by 1`)
  return rows
}

/** How many calls to each target took how long. */
async function loadSummedTargets(q: Queryable, organisationId: string, range: OverviewRange) {
  const inside = inRollupRange(organisationId, { ...range, kind: 'target' })
  const { rows } = await q.execute<TargetRow>(sql`
    select value as target, ${summed}, (
      select coalesce(jsonb_object_agg(step, count), '{}') from (
        select each.key as step, sum(each.value::bigint) as count
        from record_rollup r, jsonb_each_text(r.durations) each
        where r.value = record_rollup.value and ${inside} group by 1) as counted) as durations
    from record_rollup where ${inside} and value <> '' group by value
    order by sum(calls) desc, value limit ${targetsMax}`)
  return rows
}

/** Of the rows of the step of five minutes that has begun, and is not whole yet. */
async function loadTail(q: Queryable, organisationId: string, range: OverviewRange) {
  const step = sql<number>`floor(ln(greatest(${record.durationMs}, 1)) / ln(1.25))::int`
  return await q
    .select({ target: record.target, step, ...totals })
    .from(record)
    .where(inRange(organisationId, range))
    .groupBy(record.target, sql`2`)
}

/** An overview of hours and days: from sums, and from the rows of the minutes after the last whole sum. */
async function loadSummedOverview(
  q: Queryable,
  organisationId: string,
  range: OverviewRange,
): Promise<Pick<Overview, 'series' | 'byTarget'>> {
  const edgeMs = Math.max(range.sinceMs, range.untilMs - (range.untilMs % targetStepMs))
  const whole = { ...range, untilMs: edgeMs }
  const tail = await loadTail(q, organisationId, { ...range, sinceMs: edgeMs })
  const steps = new Map<number, Totals>()
  const targets = new Map<string, { totals: Totals; durations: Map<number, number> }>()
  const addTarget = (target: string, sums: Totals, durations: Iterable<[number, number]>): void => {
    const known = targets.get(target) ?? { totals: nothing, durations: new Map<number, number>() }
    for (const [step, count] of durations) known.durations.set(step, (known.durations.get(step) ?? 0) + count)
    targets.set(target, { totals: addTotals(known.totals, sums), durations: known.durations })
  }
  for (const row of await loadSummedSeries(q, organisationId, whole)) steps.set(row.step, decodeTotals(row))
  for (const row of await loadSummedTargets(q, organisationId, whole)) {
    const counted = Object.entries(row.durations).map(([step, n]): [number, number] => [
      Number(step),
      Number(n),
    ])
    addTarget(row.target, decodeTotals(row), counted)
  }
  const lastStep = Math.floor((edgeMs - range.sinceMs) / range.stepMs)
  for (const { target, step, ...row } of tail) {
    const sums = decodeTotals(row)
    steps.set(lastStep, addTotals(steps.get(lastStep) ?? nothing, sums))
    if (target !== null) addTarget(target, sums, [[step, sums.calls]])
  }
  const byTarget = [...targets]
    .map(([target, { totals: sums, durations }]) => ({ target, durationMsP50: medianOf(durations), ...sums }))
    .sort((a, b) => b.calls - a.calls || (a.target < b.target ? -1 : 1))
  return { series: fillSteps(range, steps), byTarget: byTarget.slice(0, targetsMax) }
}

/** Calls, spend and errors of a time, in total, by step and by target; over hours and days from sums. */
export async function loadOverview(
  q: Queryable,
  organisationId: string,
  range: OverviewRange,
): Promise<Overview> {
  const isSummed = range.stepMs % targetStepMs === 0
  const { series, byTarget } = isSummed
    ? await loadSummedOverview(q, organisationId, range)
    : {
        series: await loadSeries(q, organisationId, range),
        byTarget: await loadTargets(q, organisationId, range),
      }
  return {
    sinceMs: range.sinceMs,
    untilMs: range.untilMs,
    stepMs: range.stepMs,
    totals: series.reduce((sum, { timeMs: _, ...each }) => addTotals(sum, each), nothing),
    series,
    byTarget,
    cache: await loadCache(q, organisationId, range),
    direct: await loadDirect(q, organisationId, range),
    gaps: await countLost(q, organisationId, range),
  }
}
