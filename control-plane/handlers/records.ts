import { type CallRecord, type QueryOf, Refusal, type recordOperations } from '@signalbox/sdk/contract'
import type { Database } from '../db/connect.ts'
import { type ExplainTools, explainCall } from '../explain-call.ts'
import type { Handlers, RequestContext } from '../handler.ts'
import { decodeCursor, encodeCursor } from '../page-cursor.ts'
import { BodyReader } from '../read-records.ts'
import type { RecordFeed } from '../record-feed.ts'
import { loadReach, loadSubtree } from '../stores/nodes.ts'
import { loadOverview } from '../stores/overview.ts'
import { findRecord, type RecordFilter, searchRecords } from '../stores/records.ts'

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

/** The filter with the nodes that the team means, or else that the caller may read, by their ids. */
export async function resolveFilter(
  db: Database,
  { organisationId, permit }: Pick<RequestContext, 'organisationId' | 'permit'>,
  query: QueryOf<(typeof recordOperations)['followRecords']>,
): Promise<RecordFilter> {
  const { team, ...filter } = query
  if (team === undefined) return { ...filter, nodes: await loadReach(db, organisationId, permit.reach) }
  return { ...filter, nodes: await loadSubtree(db, organisationId, await permit.resolve(team)) }
}

/** Row and body; the body is read from its segment. */
async function loadCallRecord(db: Database, organisationId: string, id: string): Promise<CallRecord> {
  const stored = await findRecord(db, organisationId, id)
  if (stored === undefined) throw new Refusal('not_found', { message: 'There is no such record.' })
  const { row, body } = await new BodyReader(db, organisationId).read(stored)
  if (body !== null) return { row, body }
  throw new Refusal('not_found', { message: 'The body of this record is no longer kept.' })
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
    async listRecords(context, { query }) {
      const { organisationId } = context
      const { cursor, limit = pageRowsDefault, sinceMs, untilMs, ...filter } = query
      const items = await searchRecords(db, organisationId, {
        filter: await resolveFilter(db, context, filter),
        sinceMs,
        untilMs,
        after: decodeCursor(cursor),
        limit: limit + 1,
      })
      const page = items.slice(0, limit)
      const last = items.length > limit ? page.at(-1) : undefined
      return { items: page, nextCursor: last === undefined ? null : encodeCursor(last) }
    },
    followRecords(context, { query }) {
      const { organisationId, signal } = context
      return tools.recordFeed.follow(organisationId, () => resolveFilter(db, context, query), signal)
    },
    async getRecord({ organisationId }, { params }) {
      return await loadCallRecord(db, organisationId, params.id)
    },
    async explainRecord({ organisationId }, { params }) {
      const record = await loadCallRecord(db, organisationId, params.id)
      return await explainCall(tools, record)
    },
    async getOverview({ organisationId, permit }, { query }) {
      const range = overviewRange(query, tools.nowMs())
      const nodes = await loadReach(db, organisationId, permit.reach)
      return await loadOverview(db, organisationId, { environment: query.environment, nodes, ...range })
    },
  }
}
