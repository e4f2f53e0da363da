import type { Database } from '../db/connect.ts'
import type { SegmentOwner } from '../db/tables/records.ts'
import { unpackSegment } from '../segment.ts'
import { noteUsers } from '../stores/record-users.ts'
import { advanceReview, loadReview } from '../stores/retention.ts'
import { type KeptSegment, listSegments, loadSegmentBytes, noteExpiry } from '../stores/segments.ts'
import { ownersOf, recordsOf, userHashOf, userOf } from './erase-lines.ts'
import { loadRules } from './rules.ts'

/** Segments that one step looks at; few of them have to be unpacked. */
const reviewedMax = 200
/** Segments from before their owners were noted, each unpacked. */
const unpackedMax = 20

/** Whose records a segment holds that came before this was noted; their end users are noted in the rows as well. */
async function discoverOwners(
  db: Database,
  organisationId: string,
  { digest }: Pick<KeptSegment, 'digest'>,
): Promise<SegmentOwner[]> {
  const bytes = await loadSegmentBytes(db, organisationId, digest)
  const records = bytes === undefined ? [] : await recordsOf(await unpackSegment(bytes))
  const users = records.flatMap((record) => {
    const user = userOf(record)
    const { id, timeMs } = record.row
    return user === undefined ? [] : [{ id, timeMs, userHash: userHashOf(organisationId, user) }]
  })
  await noteUsers(db, users)
  return ownersOf(records)
}

/**
 * Looks at the next segments after the rules have changed: when must their bodies go now? Bounded.
 * @returns Whether there is more to look at.
 */
export async function reviewSegments(db: Database, organisationId: string): Promise<boolean> {
  const review = await loadReview(db, organisationId)
  if (review === undefined) return false
  const segments = await listSegments(db, organisationId, { after: review.after, limit: reviewedMax })
  const known: { segment: (typeof segments)[number]; owners: SegmentOwner[] }[] = []
  let unpacked = 0
  for (const segment of segments) {
    if (segment.owners === null && ++unpacked > unpackedMax) break
    known.push({ segment, owners: segment.owners ?? (await discoverOwners(db, organisationId, segment)) })
  }
  const rules = await loadRules(
    db,
    organisationId,
    known.flatMap(({ owners }) => owners),
  )
  for (const { segment, owners } of known) {
    // Where bodies were taken out already, the sweep looks into the segment once more and finds none to take.
    const expiry = rules.expiryOf(segment.environment, owners)
    await noteExpiry(db, organisationId, { digest: segment.digest, owners, ...expiry })
  }
  const last = known.at(-1)?.segment.digest
  const isLast = known.length === segments.length && segments.length < reviewedMax
  const { revision } = review
  await advanceReview(db, organisationId, { revision, after: isLast || last === undefined ? null : last })
  return !isLast
}
