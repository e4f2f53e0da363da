import type { StateDocument } from '@signalbox/sdk/contract'
import type { Queryable } from '../db/connect.ts'
import { deleteBlobs } from '../stores/blobs.ts'
import { loadAllEnvironments, loadDocument, loadDocuments, payloadOf } from '../stores/documents.ts'
import type { Place } from './publisher.ts'
import { blobsOfState } from './state.ts'

/** The blobs of this many newest states are kept, for gateways that are still fetching. */
export const statesWithBlobs = 8

function stateOf(row: { envelope: string }): StateDocument {
  // Only rows of kind `state` are asked for.
  return payloadOf(row) as StateDocument
}

/**
 * Forgets the blobs of the state that has just become too old, but for those that a newer one still names. Without
 * this each new key would leave a whole shard behind. Only blobs of states are touched; a tree may be shared with the
 * other environments, so their newest states are asked as well.
 */
export async function sweepStateBlobs(q: Queryable, place: Place, newestSequence: number): Promise<void> {
  const where = { ...place, kind: 'state' } as const
  const tooOld = await loadDocument(q, where, newestSequence - statesWithBlobs)
  if (tooOld === undefined) return
  const candidates = new Set(blobsOfState(stateOf(tooOld)))
  for (const row of await loadDocuments(q, where, statesWithBlobs)) {
    for (const digest of blobsOfState(stateOf(row))) candidates.delete(digest)
  }
  for (const other of await loadAllEnvironments(q)) {
    if (candidates.size === 0) return
    if (other.organisationId !== place.organisationId || other.environment === place.environment) continue
    for (const row of await loadDocuments(q, { ...other, kind: 'state' }, statesWithBlobs)) {
      candidates.delete(stateOf(row).tree)
    }
  }
  await deleteBlobs(q, place.organisationId, [...candidates])
}
