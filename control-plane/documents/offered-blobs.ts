import type { ReleaseDocument, StateDocument } from '@signalbox/sdk/contract'
import type { Database } from '../db/connect.ts'
import { loadDocuments, payloadOf } from '../stores/documents.ts'
import type { DocumentFeed, Reader } from './feed.ts'
import { blobsOfRelease } from './release.ts'
import { blobsOfState } from './state.ts'
import { statesWithBlobs } from './sweep.ts'

/** Environments whose offers are kept in memory. */
const cachedPlacesMax = 64

interface Offer {
  /** Of the newest documents when it was read. */
  readonly sequences: string
  readonly digests: ReadonlySet<string>
}

/**
 * Which blobs a gateway may read: those that the newest documents of its environment name, so that sources and
 * versions that are not released there stay inside. A few documents back, for a gateway that is still fetching.
 */
export function createOfferedBlobs(
  db: Database,
  documents: DocumentFeed,
): (reader: Reader, digest: string) => Promise<boolean> {
  const cached = new Map<string, Offer>()

  const load = async (place: Reader, sequences: string): Promise<Offer> => {
    const releases = await loadDocuments(db, { ...place, kind: 'release' }, statesWithBlobs)
    const states = await loadDocuments(db, { ...place, kind: 'state' }, statesWithBlobs)
    const digests = new Set([
      ...releases.flatMap((row) => blobsOfRelease(payloadOf(row) as ReleaseDocument)),
      ...states.flatMap((row) => blobsOfState(payloadOf(row) as StateDocument)),
    ])
    return { sequences, digests }
  }
  return async (reader, digest) => {
    const name = `${reader.organisationId} ${reader.environment}`
    const known = cached.get(name)
    // A digest names its content, so what was offered a moment ago may still be read.
    if (known?.digests.has(digest) === true) return true
    const release = await documents.newest(reader, 'release')
    const state = await documents.newest(reader, 'state')
    const sequences = `${release?.sequence} ${state?.sequence}`
    if (known?.sequences === sequences) return false
    const offer = await load(reader, sequences)
    if (cached.size >= cachedPlacesMax) cached.clear()
    cached.set(name, offer)
    return offer.digests.has(digest)
  }
}
