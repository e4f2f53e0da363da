import type { Database } from '../db/connect.ts'
import { findUserSegments, forgetUser } from '../stores/record-users.ts'
import { loadReview } from '../stores/retention.ts'
import { eraseFromRollups } from '../stores/rollups.ts'
import { loadOwners } from '../stores/segments.ts'
import { userHashOf, userOf } from './erase-lines.ts'
import { reviewSegments } from './review-segments.ts'
import { rewriteSegments } from './rewrite-segments.ts'
import { loadRules } from './rules.ts'

/** Segments that one request writes anew. */
const segmentsMax = 64

/**
 * Takes an end user out of the records: bodies out of their segments, metadata out of rows, his name out of sums.
 * What calls cost stays, under nobody's name. A bounded part at a time.
 * @returns `done` false where there is more: ask again.
 */
export async function eraseUser(
  tools: { readonly db: Database; readonly nowMs: () => number },
  who: { readonly organisationId: string; readonly actor: string; readonly user: string },
): Promise<{ records: number; segments: number; done: boolean }> {
  const { db, nowMs } = tools
  const { organisationId, actor, user } = who
  // Segments from before their users were noted have to be looked into first.
  if ((await loadReview(db, organisationId)) !== undefined && (await reviewSegments(db, organisationId))) {
    return { records: 0, segments: 0, done: false }
  }
  const userHash = userHashOf(organisationId, user)
  const { digests, all } = await findUserSegments(db, { organisationId, userHash }, segmentsMax)
  const rules = await loadRules(db, organisationId, await loadOwners(db, organisationId, digests))
  const erased = await rewriteSegments(tools, digests, {
    ...{ organisationId, actor, action: 'eraseRecords', reason: 'user', object: `user ${userHash}` },
    isErased: (each) => userOf(each) === user,
    dueMs: ({ environment, owners }) => rules.expiryOf(environment, owners ?? [], nowMs()).dueMs,
    async beside(tx) {
      await eraseFromRollups(tx, organisationId, user)
      await forgetUser(tx, { organisationId, userHash }, digests)
    },
  })
  return { ...erased, done: all }
}
