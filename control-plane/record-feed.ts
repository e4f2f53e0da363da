import type { RecordRow } from '@signalbox/sdk/contract'
import type { ChangeFeed } from './db/change-feed.ts'
import type { Database } from './db/connect.ts'
import { loadSegmentRows, matchesFilter, type RecordFilter } from './stores/records.ts'

/** New records as they come in, for those who follow. */
export interface RecordFeed {
  /**
   * Rows that come in from now on; nothing is missed while the filter is being resolved. Ends when the signal aborts,
   * or when its reader is more than `followBacklogMax` segments behind.
   */
  follow(
    organisationId: string,
    resolveFilter: () => Promise<RecordFilter>,
    signal: AbortSignal,
  ): AsyncIterable<RecordRow>
  close(): void
}

/**
 * Segments (≤ 1,000 records each) that a slow follower may be behind. Only their names wait, never rows; who is
 * further behind is cut off, comes back, and sees what it missed by searching.
 */
export const followBacklogMax = 1024
/** Rows of the newest segments are read once for all followers. */
const sharedSegmentsMax = 8

interface NewSegment {
  readonly digest: string
  readonly fromMs: number
  readonly toMs: number
}
interface Follower {
  readonly organisationId: string
  readonly backlog: NewSegment[]
  overrun: boolean
  wake: () => void
}

/** Reads the rows of a segment, once for all who ask while it is among the newest. */
function createSharedReads(
  db: Database,
): (organisationId: string, segment: NewSegment) => Promise<RecordRow[]> {
  const reads = new Map<string, Promise<RecordRow[]>>()
  return (organisationId, segment) => {
    const name = `${organisationId} ${segment.digest}`
    const known = reads.get(name)
    if (known !== undefined) return known
    const read = loadSegmentRows(db, organisationId, segment)
    read.catch(() => reads.delete(name))
    reads.set(name, read)
    const [oldest] = reads.keys()
    if (reads.size > sharedSegmentsMax && oldest !== undefined) reads.delete(oldest)
    return read
  }
}

/** Resolves when the follower has something to do, or the signal aborts. */
function woken(follower: Follower, signal: AbortSignal): Promise<void> {
  if (follower.backlog.length > 0 || follower.overrun || signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    follower.wake = () => {
      signal.removeEventListener('abort', follower.wake)
      resolve()
    }
    signal.addEventListener('abort', follower.wake, { once: true })
  })
}

export function createRecordFeed(db: Database, changes: ChangeFeed): RecordFeed {
  const followers = new Set<Follower>()
  const rowsOf = createSharedReads(db)
  const unsubscribe = changes.subscribe((event) => {
    if (event.type !== 'records') return
    const { segment: digest, fromMs, toMs, organisationId } = event
    for (const follower of followers) {
      if (follower.organisationId !== organisationId) continue
      if (follower.backlog.length >= followBacklogMax) follower.overrun = true
      else follower.backlog.push({ digest, fromMs, toMs })
      follower.wake()
    }
  })

  async function* follow(
    organisationId: string,
    resolveFilter: () => Promise<RecordFilter>,
    signal: AbortSignal,
  ): AsyncGenerator<RecordRow> {
    const follower: Follower = { organisationId, backlog: [], overrun: false, wake: () => {} }
    followers.add(follower)
    try {
      const filter = await resolveFilter()
      while (!signal.aborted) {
        await woken(follower, signal)
        if (follower.overrun) return
        const segment = follower.backlog.shift()
        if (segment === undefined) continue
        for (const row of await rowsOf(organisationId, segment)) {
          if (matchesFilter(row, filter)) yield row
        }
      }
    } finally {
      followers.delete(follower)
    }
  }
  return { follow, close: unsubscribe }
}
