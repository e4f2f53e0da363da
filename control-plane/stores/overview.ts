import type { ReplyOf, recordOperations } from '@signalbox/sdk/contract'
import { and, eq, gte, lt, sql } from 'drizzle-orm'
import type { Queryable } from '../db/connect.ts'
import { record, recordGap } from '../db/schema.ts'

export type Overview = ReplyOf<(typeof recordOperations)['getOverview']>
type Totals = Overview['totals']

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
type TotalsRow = { [K in keyof typeof totals]: Totals[K] | string }

function decodeTotals(row: TotalsRow): Totals {
  return {
    calls: Number(row.calls),
    errors: Number(row.errors),
    denied: Number(row.denied),
    costNanoUsd: String(row.costNanoUsd),
    unpriced: Number(row.unpriced),
    inputTokens: Number(row.inputTokens),
    outputTokens: Number(row.outputTokens),
  }
}
const nothing: Totals = {
  calls: 0,
  errors: 0,
  denied: 0,
  costNanoUsd: '0',
  unpriced: 0,
  inputTokens: 0,
  outputTokens: 0,
}

function addTotals(sum: Totals, each: Totals): Totals {
  return {
    calls: sum.calls + each.calls,
    errors: sum.errors + each.errors,
    denied: sum.denied + each.denied,
    costNanoUsd: String(BigInt(sum.costNanoUsd) + BigInt(each.costNanoUsd)),
    unpriced: sum.unpriced + each.unpriced,
    inputTokens: sum.inputTokens + each.inputTokens,
    outputTokens: sum.outputTokens + each.outputTokens,
  }
}

function inRange(organisationId: string, range: OverviewRange) {
  return and(
    eq(record.organisationId, organisationId),
    range.environment === undefined ? undefined : eq(record.environment, range.environment),
    range.nodes === undefined ? undefined : sql`${record.nodeId} = any(${sql.param([...range.nodes])})`,
    gte(record.timeMs, range.sinceMs),
    lt(record.timeMs, range.untilMs),
  )
}

/** Every step of the range, those without calls too. */
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
  const byStep = new Map(rows.map((row) => [row.step, decodeTotals(row)]))
  const steps = Math.ceil((range.untilMs - range.sinceMs) / range.stepMs)
  return Array.from({ length: steps }, (_, index) => ({
    timeMs: range.sinceMs + index * range.stepMs,
    ...(byStep.get(index) ?? nothing),
  }))
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

/** Calls, spend and errors of a time, in total, by step and by target. */
export async function loadOverview(
  q: Queryable,
  organisationId: string,
  range: OverviewRange,
): Promise<Overview> {
  const series = await loadSeries(q, organisationId, range)
  return {
    sinceMs: range.sinceMs,
    untilMs: range.untilMs,
    stepMs: range.stepMs,
    totals: series.reduce((sum, { timeMs: _, ...each }) => addTotals(sum, each), nothing),
    series,
    byTarget: await loadTargets(q, organisationId, range),
    gaps: await countLost(q, organisationId, range),
  }
}
