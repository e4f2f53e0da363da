import {
  type ExportEnd,
  exportPageBytesMax,
  type QueryOf,
  Refusal,
  type replayOperations,
} from '@signalbox/sdk/contract'
import type { Database } from '../db/connect.ts'
import type { Handlers, RequestContext } from '../handler.ts'
import { decodeCursor, encodeCursor } from '../page-cursor.ts'
import { BodyReader } from '../read-records.ts'
import { loadBuild, loadReleaseContext, loadStoredCatalogue } from '../replay-library.ts'
import { readRecordsForward } from '../stores/records.ts'
import { findVersion } from '../stores/versions.ts'
import { requireEnvironment } from './environments.ts'
import { resolveFilter } from './records.ts'

export interface ReplayTools {
  readonly db: Database
  readonly nowMs: () => number
}

const pageRowsDefault = 500
/** After this many records other requests get their turn. */
const recordsPerTurn = 64

/** One page, each record a line, and the line that says where the next one starts. */
async function exportPage(
  { db, nowMs }: ReplayTools,
  context: RequestContext,
  query: QueryOf<typeof replayOperations.exportRecords>,
): Promise<Buffer> {
  const { organisationId } = context
  const { cursor, limit = pageRowsDefault, sinceMs, untilMs = nowMs() + 1, ...filter } = query
  const stored = await readRecordsForward(db, organisationId, {
    filter: await resolveFilter(db, context, filter),
    ...{ sinceMs, untilMs, limit: limit + 1 },
    after: decodeCursor(cursor),
  })
  const bodies = new BodyReader(db, organisationId)
  const lines: string[] = []
  let characters = 0
  for (const row of stored.slice(0, limit)) {
    const line = JSON.stringify(await bodies.read(row))
    lines.push(line)
    characters += line.length
    if (characters > exportPageBytesMax) break
    if (lines.length % recordsPerTurn === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  const last = stored[lines.length - 1]
  const isLast = lines.length === stored.length || last === undefined
  const end: ExportEnd = { end: { nextCursor: isLast ? null : encodeCursor(last) } }
  return Buffer.from(`${[...lines, JSON.stringify(end)].join('\n')}\n`, 'utf8')
}

/** Records with their bodies, and what they were decided with: for whoever decides them again. */
export function createReplayHandlers(tools: ReplayTools): Handlers<typeof replayOperations> {
  const { db } = tools
  return {
    exportRecords: (context, { query }) => exportPage(tools, context, query),
    async getRelease({ organisationId }, { query }) {
      const { environment, sequence, state } = query
      await requireEnvironment(db, organisationId, environment)
      const sequences = { release: sequence, state }
      const release = await loadReleaseContext(db, { organisationId, environment }, sequences)
      if (release === undefined) {
        throw new Refusal('not_found', { message: `${environment} has no release ${sequence}.` })
      }
      return release
    },
    async getBuild({ organisationId }, { params }) {
      return await loadBuild(db, await findVersion(db, organisationId, params.version))
    },
    async getCatalogueOf({ organisationId }, { params }) {
      const catalogue = await loadStoredCatalogue(db, organisationId, params.digest)
      if (catalogue === undefined) throw new Refusal('not_found', { message: 'There is no such catalogue.' })
      return catalogue
    },
  }
}
