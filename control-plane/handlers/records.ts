import {
  type CallRecord,
  type QueryOf,
  type RecordRow,
  Refusal,
  type recordOperations,
} from '@signalbox/sdk/contract'
import type { Database } from '../db/connect.ts'
import { type ExplainTools, explainCall } from '../explain-call.ts'
import type { Handlers } from '../handler.ts'
import type { RecordFeed } from '../record-feed.ts'
import { recordAt, unpackSegment } from '../segment.ts'
import { loadSubtree, resolveNode } from '../stores/nodes.ts'
import { loadOverview } from '../stores/overview.ts'
import { decodeRecord } from '../stores/record-columns.ts'
import { findRecord, type RecordFilter, type RecordPlace, searchRecords } from '../stores/records.ts'
import { loadSegmentBytes } from '../stores/segments.ts'

export interface RecordTools extends ExplainTools {
  readonly recordFeed: RecordFeed
  readonly nowMs: () => number
}

const pageRowsDefault = 50
const overviewDefaultMs = 24 * 3_600_000
const overviewStepsMax = 60
/** Steps that people can read: seconds, minutes, hours, days. */
const stepsMs = [1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 21_600, 43_200, 86_400].map((s) => s * 1000)
const dayMs = 86_400_000

function encodeCursor(row: RecordRow): string {
  return Buffer.from(`${row.timeMs} ${row.id}`, 'utf8').toString('base64url')
}

function decodeCursor(cursor: string | undefined): RecordPlace | undefined {
  if (cursor === undefined) return undefined
  const parts = /^(\d{1,15}) ([0-9a-f-]{36})$/.exec(Buffer.from(cursor, 'base64url').toString('utf8'))
  if (parts?.[1] === undefined || parts[2] === undefined) {
    throw new Refusal('invalid_request', {
      message: 'The cursor is not one that this search gave.',
      param: 'cursor',
    })
  }
  return { timeMs: Number(parts[1]), id: parts[2] }
}

/** The filter with the team as the ids of its node and all below. */
async function resolveFilter(
  db: Database,
  organisationId: string,
  query: QueryOf<(typeof recordOperations)['followRecords']>,
): Promise<RecordFilter> {
  const { team, ...filter } = query
  if (team === undefined) return filter
  const node = await resolveNode(db, organisationId, team)
  return { ...filter, nodes: await loadSubtree(db, organisationId, node) }
}

/** Row and body; the body is read from its segment. */
async function loadCallRecord(db: Database, organisationId: string, id: string): Promise<CallRecord> {
  const stored = await findRecord(db, organisationId, id)
  if (stored === undefined) throw new Refusal('not_found', { message: 'There is no such record.' })
  const bytes = await loadSegmentBytes(db, organisationId, stored.segmentDigest)
  if (bytes === undefined) {
    throw new Refusal('not_found', { message: 'The body of this record is no longer kept.' })
  }
  const text = await unpackSegment(bytes)
  const { body } = recordAt(text, { offset: stored.segmentOffset, length: stored.segmentLength })
  // Organisation, environment and gateway are the token's, not what the line claims.
  return { row: decodeRecord(stored), body }
}

/** Start, end and step of an overview: at most 60 steps, whose edges stand still while time goes on. */
export function overviewRange(
  query: QueryOf<(typeof recordOperations)['getOverview']>,
  nowMs: number,
): { sinceMs: number; untilMs: number; stepMs: number } {
  const untilMs = query.untilMs ?? nowMs + 1
  const sinceMs = query.sinceMs ?? untilMs - overviewDefaultMs
  if (sinceMs >= untilMs) {
    throw new Refusal('invalid_request', { message: 'sinceMs must be before untilMs.', param: 'sinceMs' })
  }
  // One less, since rounding outwards may add a step.
  const leastMs = (untilMs - sinceMs) / (overviewStepsMax - 1)
  const stepMs = stepsMs.find((each) => each >= leastMs) ?? Math.ceil(leastMs / dayMs) * dayMs
  return { sinceMs: sinceMs - (sinceMs % stepMs), untilMs, stepMs }
}

/** Search, follow, one record, why it was decided so, and sums. */
export function createRecordHandlers(tools: RecordTools): Handlers<typeof recordOperations> {
  const { db } = tools
  return {
    async listRecords({ organisationId }, { query }) {
      const { cursor, limit = pageRowsDefault, sinceMs, untilMs, ...filter } = query
      const items = await searchRecords(db, organisationId, {
        filter: await resolveFilter(db, organisationId, filter),
        sinceMs,
        untilMs,
        after: decodeCursor(cursor),
        limit: limit + 1,
      })
      const page = items.slice(0, limit)
      const last = items.length > limit ? page.at(-1) : undefined
      return { items: page, nextCursor: last === undefined ? null : encodeCursor(last) }
    },
    followRecords({ organisationId, signal }, { query }) {
      return tools.recordFeed.follow(organisationId, () => resolveFilter(db, organisationId, query), signal)
    },
    async getRecord({ organisationId }, { params }) {
      return await loadCallRecord(db, organisationId, params.id)
    },
    async explainRecord({ organisationId }, { params }) {
      const record = await loadCallRecord(db, organisationId, params.id)
      return await explainCall(tools, record)
    },
    async getOverview({ organisationId }, { query }) {
      const range = overviewRange(query, tools.nowMs())
      return await loadOverview(db, organisationId, { environment: query.environment, ...range })
    },
  }
}
