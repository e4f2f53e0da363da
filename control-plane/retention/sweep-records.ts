import type { Logger } from '@signalbox/sdk/node'
import type { Database } from '../db/connect.ts'
import type { Partitions } from '../db/partitions.ts'
import { repeatedly } from '../repeatedly.ts'
import { appendAudit } from '../stores/audit.ts'
import { deleteExpiredRows, dropExpiredDays, horizonOf } from '../stores/expired-rows.ts'
import { deleteDecidedReports } from '../stores/refused-reports.ts'
import { listOrganisations, listRetention } from '../stores/retention.ts'
import {
  dropBytes,
  dropRootOf,
  forgetSegments,
  type KeptSegment,
  listDueSegments,
  loadOwners,
  lockSegments,
} from '../stores/segments.ts'
import { isBare } from './erase-lines.ts'
import { reviewSegments } from './review-segments.ts'
import { rewriteSegments } from './rewrite-segments.ts'
import { loadRules } from './rules.ts'

export interface SweepTools {
  readonly db: Database
  readonly partitions: Partitions
  readonly nowMs: () => number
  readonly log: Logger
}
/** What a sweep did. */
export interface Swept {
  readonly droppedSegments: number
  readonly rewrittenSegments: number
  readonly deletedRows: number
  readonly droppedDays: number
  /** Refused reports that were decided long ago. */
  readonly deletedReports: number
  /** There is more to do. */
  readonly more: boolean
}

const sweepIntervalMs = 60_000
/** Segments whose bytes go in one transaction, and those that are written anew. */
const droppedMax = 500
const rewrittenMax = 16
/** Steps of one sweep; what is left is done by the next. */
const stepsMax = 50

/** Lets go of segments of which nothing may be kept. */
async function dropSegments({ db, nowMs }: SweepTools, organisationId: string): Promise<number> {
  const due = { nowMs: nowMs(), whole: true, limit: droppedMax }
  const digests = await listDueSegments(db, organisationId, due)
  if (digests.length === 0) return 0
  return await db.transaction(async (tx) => {
    const locked = await lockSegments(tx, organisationId, digests)
    const found = locked.map(({ digest }) => digest)
    if (found.length === 0) return 0
    const detail = { reason: 'retention', count: found.length, root: dropRootOf(found) }
    const entry = { actor: 'system', action: 'dropSegments', object: 'segments', detail, nowMs }
    await dropBytes(tx, organisationId, found, await appendAudit(tx, organisationId, entry))
    return found.length
  })
}

/** Takes expired bodies out of segments that hold others, which are kept longer. */
async function thinSegments(tools: SweepTools, organisationId: string): Promise<number> {
  const nowMs = tools.nowMs()
  const digests = await listDueSegments(tools.db, organisationId, {
    nowMs,
    whole: false,
    limit: rewrittenMax,
  })
  if (digests.length === 0) return 0
  const owners = await loadOwners(tools.db, organisationId, digests)
  const rules = await loadRules(tools.db, organisationId, owners)
  const expiryOf = (segment: KeptSegment) =>
    rules.expiryOf(segment.environment, segment.owners ?? [], nowMs).dueMs
  await rewriteSegments(tools, digests, {
    ...{ organisationId, actor: 'system', action: 'thinSegments', reason: 'retention', object: 'segments' },
    isErased: (record, { environment }) => {
      const { nodeId = null, keyId = null, timeMs } = record.row
      const owner = { environment, nodeId, keyId, bare: isBare(record) }
      return rules.bodyExpiryMs(owner, timeMs) <= nowMs
    },
    dueMs: expiryOf,
  })
  return digests.length
}

async function sweepOrganisation(
  tools: SweepTools,
  organisationId: string,
): Promise<Omit<Swept, 'droppedDays' | 'deletedReports'>> {
  const { db } = tools
  const reviewing = await reviewSegments(db, organisationId)
  const droppedSegments = await dropSegments(tools, organisationId)
  const rewrittenSegments = await thinSegments(tools, organisationId)
  const rules = await listRetention(db, organisationId)
  const deletedRows = await deleteExpiredRows(db, organisationId, { rules, nowMs: tools.nowMs() })
  const more = reviewing || droppedSegments > 0 || rewrittenSegments > 0 || deletedRows > 0
  return { droppedSegments, rewrittenSegments, deletedRows, more }
}

/** Drops days that no organisation keeps, and the places in chains and the decided reports that were of those days. */
async function sweepDays({ db, partitions, nowMs }: SweepTools, organisations: readonly string[]) {
  const kept: number[] = []
  let deletedReports = 0
  for (const organisationId of organisations) {
    const { rowDaysMax } = await loadRules(db, organisationId, [])
    kept.push(rowDaysMax)
    const horizonMs = horizonOf(nowMs(), rowDaysMax)
    if (!Number.isFinite(horizonMs)) continue
    await forgetSegments(db, organisationId, horizonMs)
    deletedReports += await deleteDecidedReports(db, organisationId, horizonMs)
  }
  const dropped = await dropExpiredDays(db, { nowMs: nowMs(), rowDaysMax: Math.max(...kept) })
  for (const { dayStartMs } of dropped) partitions.forget(dayStartMs)
  return { droppedDays: dropped.length, deletedReports }
}

/**
 * Does what retention asks for: bodies that are past their time go out of segments, segments without any lose their
 * bytes, rows and whole days of rows go. Sums stay. Bounded: what is left is done by the next sweep.
 */
export async function sweepRecords(tools: SweepTools): Promise<Swept> {
  const organisations = await listOrganisations(tools.db)
  const sum = { droppedSegments: 0, rewrittenSegments: 0, deletedRows: 0, more: false }
  for (const organisationId of organisations) {
    for (let step = 0; step < stepsMax; step++) {
      const swept = await sweepOrganisation(tools, organisationId)
      sum.droppedSegments += swept.droppedSegments
      sum.rewrittenSegments += swept.rewrittenSegments
      sum.deletedRows += swept.deletedRows
      sum.more = swept.more
      if (!swept.more) break
    }
  }
  const none = { droppedDays: 0, deletedReports: 0 }
  return { ...sum, ...(organisations.length === 0 ? none : await sweepDays(tools, organisations)) }
}

/** Sweeps every minute; programs that share a database wait for each other's segments. Gives how to stop. */
export function keepSweeping(tools: SweepTools): () => Promise<void> {
  const work = async (): Promise<void> => {
    const { more: _, ...swept } = await sweepRecords(tools)
    if (Object.values(swept).some((count) => count > 0)) tools.log.info(swept, 'retention was applied')
  }
  return repeatedly(work, { everyMs: sweepIntervalMs, log: tools.log, what: 'retention was not applied' })
}
