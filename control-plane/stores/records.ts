import type { RecordRow } from '@signalbox/sdk/contract'
import { and, asc, desc, eq, gte, lt, lte, type SQL, sql } from 'drizzle-orm'
import type { Queryable, Transaction } from '../db/connect.ts'
import { node, record, recordGap } from '../db/schema.ts'
import {
  decodeRecord,
  encodeRecord,
  type NewRecord,
  recordColumns,
  type StoredRecord,
} from './record-columns.ts'

/** What a search asks for; all given members must hold. `nodes`: any of these. */
export interface RecordFilter {
  readonly environment?: string | undefined
  readonly nodes?: readonly string[] | undefined
  readonly key?: string | undefined
  readonly target?: string | undefined
  readonly model?: string | undefined
  readonly policy?: string | undefined
  readonly rule?: string | undefined
  readonly effect?: RecordRow['effect'] | undefined
  readonly errorCode?: string | undefined
  readonly statusMin?: number | undefined
  readonly arm?: RecordRow['arm'] | undefined
}
/** A place in the order of records: newest first, then by id downwards. */
export interface RecordPlace {
  readonly timeMs: number
  readonly id: string
}

const columnNames = Object.keys(recordColumns).join(', ')
const columnTypes = Object.entries(recordColumns)
  .map(([name, type]) => `${name} ${type}`)
  .join(', ')

/** Postgres takes neither the character 0 nor half a surrogate pair in a text. */
function cleanText(text: string): string {
  return text.replaceAll('\u0000', '\ufffd').toWellFormed()
}

function cleanValue(value: unknown): unknown {
  if (typeof value === 'string') return cleanText(value)
  if (Array.isArray(value)) return value.map(cleanValue)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [cleanText(name), cleanValue(member)]),
  )
}

function encodeRows(records: readonly NewRecord[]): string {
  const rows = records.map(encodeRecord)
  const text = JSON.stringify(rows)
  const foul = text.includes('\\u0000') || text.includes('\\ud')
  return foul ? JSON.stringify(cleanValue(rows)) : text
}

/**
 * Writes rows in one statement, in the order of their ids, so that two segments with the same records cannot wait for
 * each other; what is there already stays as it is. Gives the ids of those that were new.
 */
export async function insertRecords(
  tx: Transaction,
  records: readonly NewRecord[],
): Promise<ReadonlySet<string>> {
  if (records.length === 0) return new Set()
  const sorted = [...records].sort((a, b) => (a.row.id < b.row.id ? -1 : 1))
  const columns = sql.raw(columnNames)
  const { rows } = await tx.execute<{ id: string }>(
    sql`insert into record (${columns})
      select ${columns} from json_to_recordset(${encodeRows(sorted)}::json) as incoming(${sql.raw(columnTypes)})
      on conflict do nothing returning id`,
  )
  return new Set(rows.map(({ id }) => id))
}

export async function insertGaps(
  tx: Transaction,
  gaps: readonly (typeof recordGap.$inferInsert)[],
): Promise<void> {
  if (gaps.length > 0)
    await tx
      .insert(recordGap)
      .values([...gaps])
      .onConflictDoNothing()
}

function conditionsOf(organisationId: string, filter: RecordFilter): (SQL | undefined)[] {
  const equal = (column: Parameters<typeof eq>[0], value: unknown) =>
    value === undefined ? undefined : eq(column, value)
  return [
    eq(record.organisationId, organisationId),
    equal(record.environment, filter.environment),
    filter.nodes === undefined ? undefined : sql`${record.nodeId} = any(${sql.param([...filter.nodes])})`,
    equal(record.keyId, filter.key),
    equal(record.target, filter.target),
    equal(record.modelRequested, filter.model),
    equal(record.policy, filter.policy),
    equal(record.rule, filter.rule),
    equal(record.effect, filter.effect),
    equal(record.errorCode, filter.errorCode),
    filter.statusMin === undefined ? undefined : gte(record.status, filter.statusMin),
    equal(record.arm, filter.arm),
  ]
}

/** Whether a row is among what a filter asks for: the same as the search, for rows at hand. */
export function matchesFilter(row: RecordRow, filter: RecordFilter): boolean {
  const same = (wanted: unknown, value: unknown) => wanted === undefined || wanted === value
  return (
    same(filter.environment, row.environment) &&
    (filter.nodes === undefined || (row.nodeId !== undefined && filter.nodes.includes(row.nodeId))) &&
    same(filter.key, row.keyId) &&
    same(filter.target, row.target) &&
    same(filter.model, row.modelRequested) &&
    same(filter.policy, row.policy) &&
    same(filter.rule, row.rule) &&
    same(filter.effect, row.effect) &&
    same(filter.errorCode, row.errorCode) &&
    (filter.statusMin === undefined || row.status >= filter.statusMin) &&
    same(filter.arm, row.arm)
  )
}

/** Compared as a pair, the place is a bound of the index; the time alone lets the planner leave out whole days. */
function isAfter(place: RecordPlace): SQL | undefined {
  const time = new Date(place.timeMs).toISOString()
  const pair = sql`(${record.timeMs}, ${record.id}) < (${time}::timestamptz, ${place.id}::uuid)`
  return and(lte(record.timeMs, place.timeMs), pair)
}

/**
 * Rows in their order, starting after a place. Every row that is there when the first page is read stands on exactly
 * one page, whatever comes in meanwhile.
 */
export async function searchRecords(
  q: Queryable,
  organisationId: string,
  search: {
    readonly filter: RecordFilter
    readonly sinceMs: number | undefined
    readonly untilMs: number | undefined
    readonly after: RecordPlace | undefined
    readonly limit: number
  },
): Promise<RecordRow[]> {
  const { after } = search
  const rows = await q
    .select()
    .from(record)
    .where(
      and(
        ...conditionsOf(organisationId, search.filter),
        search.sinceMs === undefined ? undefined : gte(record.timeMs, search.sinceMs),
        search.untilMs === undefined ? undefined : lt(record.timeMs, search.untilMs),
        after === undefined ? undefined : isAfter(after),
      ),
    )
    .orderBy(desc(record.timeMs), desc(record.id))
    .limit(search.limit)
  return rows.map(decodeRecord)
}

/** The same oldest first, with the places of their bodies: for who reads all of them once. */
export async function readRecordsForward(
  q: Queryable,
  organisationId: string,
  search: {
    readonly filter: RecordFilter
    readonly sinceMs: number | undefined
    readonly untilMs: number
    readonly after: RecordPlace | undefined
    readonly limit: number
  },
): Promise<StoredRecord[]> {
  const { after } = search
  const from = Math.max(after?.timeMs ?? 0, search.sinceMs ?? 0)
  const pair =
    after === undefined
      ? undefined
      : sql`(${record.timeMs}, ${record.id}) > (${new Date(after.timeMs).toISOString()}::timestamptz, ${after.id}::uuid)`
  return await q
    .select()
    .from(record)
    .where(
      and(
        ...conditionsOf(organisationId, search.filter),
        gte(record.timeMs, from),
        lt(record.timeMs, search.untilMs),
        pair,
      ),
    )
    .orderBy(asc(record.timeMs), asc(record.id))
    .limit(search.limit)
}

/** Rows that came with a segment, oldest first. The times name the days to look into. */
export async function loadSegmentRows(
  q: Queryable,
  organisationId: string,
  segment: { readonly digest: string; readonly fromMs: number; readonly toMs: number },
): Promise<RecordRow[]> {
  const rows = await q
    .select()
    .from(record)
    .where(
      and(
        eq(record.organisationId, organisationId),
        gte(record.timeMs, segment.fromMs),
        lte(record.timeMs, segment.toMs),
        eq(record.segmentDigest, segment.digest),
      ),
    )
    .orderBy(record.timeMs, record.id)
  return rows.map(decodeRecord)
}

const dayMs = 86_400_000

/** When a UUIDv7 was made, or undefined where the id is of another kind. */
function timeOfId(id: string): number | undefined {
  return id.charAt(14) === '7' ? Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16) : undefined
}

/** One stored record. Looked for around the time in its id first, then everywhere. */
export async function findRecord(
  q: Queryable,
  organisationId: string,
  id: string,
): Promise<StoredRecord | undefined> {
  const byId = and(eq(record.organisationId, organisationId), eq(record.id, id))
  const timeMs = timeOfId(id)
  if (timeMs !== undefined) {
    const near = and(byId, gte(record.timeMs, timeMs - dayMs), lte(record.timeMs, timeMs + dayMs))
    const [row] = await q.select().from(record).where(near).limit(1)
    if (row !== undefined) return row
  }
  const [row] = await q.select().from(record).where(byId).limit(1)
  return row
}

/** Path of the node that a call was made under; the root's where that node is gone. */
export async function findRecordPath(
  q: Queryable,
  organisationId: string,
  id: string,
): Promise<string | undefined> {
  const found = await findRecord(q, organisationId, id)
  if (found === undefined) return undefined
  if (found.nodeId === null) return ''
  const [row] = await q
    .select({ path: node.path })
    .from(node)
    .where(and(eq(node.organisationId, organisationId), eq(node.id, found.nodeId)))
  return row?.path ?? ''
}
