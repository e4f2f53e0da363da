import type { RecordRow } from '@signalbox/sdk/contract'
import { type SQL, sql } from 'drizzle-orm'
import type { Queryable, Transaction } from '../db/connect.ts'
import { inputTokensOf } from './record-columns.ts'

/** Targets are summed in steps of five minutes, all else by the hour. */
export const targetStepMs = 300_000
export const hourMs = 3_600_000
/** Stands for calls that are under no node. */
export const noNode = '00000000-0000-0000-0000-000000000000'
/** Durations are counted on a scale whose steps are this much longer than the one before. */
const durationFactor = 1.25
const valueLengthMax = 256

interface Sum {
  environment: string
  time: string
  kind: 'target' | 'key' | 'metadata'
  node_id: string
  name: string
  value: string
  calls: number
  errors: number
  denied: number
  unpriced: number
  input_tokens: number
  output_tokens: number
  cost_nano_usd: bigint
  durations: Record<string, number>
}
const columnTypes = `environment text, time timestamptz, kind text, node_id uuid, name text, value text, calls bigint,
  errors bigint, denied bigint, unpriced bigint, input_tokens bigint, output_tokens bigint, cost_nano_usd bigint,
  durations jsonb`

/** The step of the scale that a duration stands on. */
export function durationStep(ms: number): number {
  return Math.floor(Math.log(Math.max(ms, 1)) / Math.log(durationFactor))
}

/** The median of counted durations, ms; within a step they are taken as evenly spread. */
export function medianOf(durations: ReadonlyMap<number, number>): number {
  const total = [...durations.values()].reduce((sum, count) => sum + count, 0)
  let below = 0
  for (const [step, count] of [...durations].sort(([a], [b]) => a - b)) {
    if (below + count >= total / 2) return durationFactor ** (step + (total / 2 - below) / count)
    below += count
  }
  return 0
}

function addTo(sum: Sum, row: RecordRow): void {
  const [input, output] = [inputTokensOf(row.usage), row.usage.output ?? 0]
  sum.calls++
  if (row.effect === 'deny') sum.denied++
  else if (row.status >= 400 && row.status !== 499) sum.errors++
  if (row.costNanoUsd === undefined && input + output > 0) sum.unpriced++
  sum.input_tokens += input
  sum.output_tokens += output
  sum.cost_nano_usd += BigInt(row.costNanoUsd ?? 0)
}

/** What of a row is summed: target, key, and each property of metadata. */
function placesOf(row: RecordRow): { kind: Sum['kind']; name: string; value: string }[] {
  const properties = Object.entries(row.metadata).map(([name, value]) => ({
    kind: 'metadata' as const,
    name,
    value: String(value).slice(0, valueLengthMax).replaceAll('\u0000', '\ufffd').toWellFormed(),
  }))
  return [
    { kind: 'target', name: '', value: row.target ?? '' },
    ...(row.keyId === undefined ? [] : [{ kind: 'key' as const, name: '', value: row.keyId }]),
    ...properties,
  ]
}

function sumsOf(rows: readonly RecordRow[]): Sum[] {
  const sums = new Map<string, Sum>()
  for (const row of rows) {
    // What callers paid past the gateways is a line of its own.
    if (row.direct === true) continue
    for (const { kind, name, value } of placesOf(row)) {
      const stepMs = kind === 'target' ? targetStepMs : hourMs
      const time = new Date(row.timeMs - (row.timeMs % stepMs)).toISOString()
      const place = { environment: row.environment, time, kind, node_id: row.nodeId ?? noNode, name, value }
      const key = JSON.stringify(Object.values(place))
      const zero = { calls: 0, errors: 0, denied: 0, unpriced: 0, input_tokens: 0, output_tokens: 0 }
      const sum = sums.get(key) ?? { ...place, ...zero, cost_nano_usd: 0n, durations: {} }
      sums.set(key, sum)
      addTo(sum, row)
      if (kind !== 'target') continue
      const step = durationStep(row.durationMs)
      sum.durations[step] = (sum.durations[step] ?? 0) + 1
    }
  }
  // In one order everywhere, so that two segments with the same sums cannot wait for each other.
  return [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, sum]) => sum)
}

/** Adds rows that are new to the sums. Runs in the transaction that writes them. */
export async function addToRollups(
  tx: Transaction,
  organisationId: string,
  rows: readonly RecordRow[],
): Promise<void> {
  const sums = sumsOf(rows)
  if (sums.length === 0) return
  const json = JSON.stringify(sums, (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  )
  await tx.execute(sql`
    insert into record_rollup as known (organisation_id, environment, time, kind, node_id, name, value, calls, errors,
      denied, unpriced, input_tokens, output_tokens, cost_nano_usd, durations)
    select ${organisationId}::uuid, incoming.* from json_to_recordset(${json}::json)
      as incoming(${sql.raw(columnTypes)})
    on conflict (organisation_id, kind, time, environment, node_id, name, value) do update set
      calls = known.calls + excluded.calls, errors = known.errors + excluded.errors,
      denied = known.denied + excluded.denied, unpriced = known.unpriced + excluded.unpriced,
      input_tokens = known.input_tokens + excluded.input_tokens,
      output_tokens = known.output_tokens + excluded.output_tokens,
      cost_nano_usd = known.cost_nano_usd + excluded.cost_nano_usd,
      durations = (select coalesce(jsonb_object_agg(step, count), '{}') from (
        select step, sum(count::bigint) as count from (
          select * from jsonb_each_text(known.durations) union all select * from jsonb_each_text(excluded.durations)
        ) as both_of(step, count) group by step) as added)`)
}

/** The value of a property that was an end user's becomes empty, its sums with it. */
export async function eraseFromRollups(tx: Transaction, organisationId: string, user: string): Promise<void> {
  const names = sql`name in ('user', 'userId', 'user_id')`
  await tx.execute(sql`
    with gone as (
      delete from record_rollup
      where organisation_id = ${organisationId} and kind = 'metadata' and ${names} and value = ${user} returning *)
    insert into record_rollup as known
      select organisation_id, environment, time, kind, node_id, name, '', calls, errors, denied, unpriced,
        input_tokens, output_tokens, cost_nano_usd, durations from gone
    on conflict (organisation_id, kind, time, environment, node_id, name, value) do update set
      calls = known.calls + excluded.calls, errors = known.errors + excluded.errors,
      denied = known.denied + excluded.denied, unpriced = known.unpriced + excluded.unpriced,
      input_tokens = known.input_tokens + excluded.input_tokens,
      output_tokens = known.output_tokens + excluded.output_tokens,
      cost_nano_usd = known.cost_nano_usd + excluded.cost_nano_usd`)
}

/** Which sums. */
export interface RollupRange {
  readonly kind: Sum['kind']
  readonly environment?: string | undefined
  readonly nodes?: readonly string[] | undefined
  readonly name?: string | undefined
  readonly sinceMs: number
  /** Not included. */
  readonly untilMs: number
}

const at = (ms: number): SQL => sql`${new Date(ms).toISOString()}::timestamptz`

/** The condition of a range, for `where`. */
export function inRollupRange(organisationId: string, range: RollupRange): SQL {
  const { kind, environment, nodes, name, sinceMs, untilMs } = range
  return sql.join(
    [
      sql`organisation_id = ${organisationId} and kind = ${kind}`,
      sql`time >= ${at(sinceMs)} and time < ${at(untilMs)}`,
      ...(environment === undefined ? [] : [sql`environment = ${environment}`]),
      ...(nodes === undefined ? [] : [sql`node_id = any(${sql.param([...nodes])}::uuid[])`]),
      ...(name === undefined ? [] : [sql`name = ${name}`]),
    ],
    sql` and `,
  )
}

/** Sums of one thing, as the database gives them. */
export interface SummedRow extends Record<string, unknown> {
  readonly value: string
  readonly calls: string
  readonly errors: string
  readonly denied: string
  readonly unpriced: string
  readonly inputTokens: string
  readonly outputTokens: string
  readonly costNanoUsd: string
}

/** The columns of sums, to be selected. */
export const summed = sql.raw(`sum(calls) as calls, sum(errors) as errors, sum(denied) as denied,
  sum(unpriced) as unpriced, sum(input_tokens) as "inputTokens", sum(output_tokens) as "outputTokens",
  sum(cost_nano_usd)::text as "costNanoUsd"`)

/** Sums by what they are of, the dearest first; by node where `byNode`. */
export async function loadUsage(
  q: Queryable,
  organisationId: string,
  range: RollupRange & { readonly byNode: boolean; readonly limit: number },
): Promise<SummedRow[]> {
  const value = range.byNode ? sql`node_id::text` : sql`value`
  const { rows } = await q.execute<SummedRow>(sql`
    select ${value} as value, ${summed} from record_rollup where ${inRollupRange(organisationId, range)}
    group by 1 order by sum(cost_nano_usd) desc, sum(calls) desc, 1 limit ${range.limit}`)
  return rows
}

/** What people call nodes and keys, by id; those that are gone are left out. */
export async function loadLabels(
  q: Queryable,
  by: 'target' | 'node' | 'key' | 'metadata',
  ids: readonly string[],
): Promise<Map<string, string>> {
  const wanted = ids.filter((id) => id !== noNode)
  if ((by !== 'node' && by !== 'key') || wanted.length === 0) return new Map()
  const { rows } = await q.execute<{ id: string; label: string }>(
    by === 'node'
      ? sql`select id, case when path = '' then name else path end as label from node
          where id = any(${sql.param(wanted)}::uuid[])`
      : sql`select id, name as label from api_key where id = any(${sql.param(wanted)}::uuid[])`,
  )
  return new Map(rows.map(({ id, label }) => [id, label]))
}
