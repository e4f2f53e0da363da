import type { DocumentKind } from '@signalbox/sdk/contract'
import type { Logger, SealKeyPair } from '@signalbox/sdk/node'
import type { Clock } from '../clock.ts'
import { openCredentials } from '../credentials/sealed-credentials.ts'
import type { ActiveDocuments } from './active-documents.ts'
import { activateRelease, blobsOfRelease, type ReleaseEngine } from './active-release.ts'
import { activateState, blobsOfState } from './active-state.ts'
import type { BlobStore } from './blob-store.ts'
import type { BlobSource } from './collect-blobs.ts'
import type { DocumentStore, Identity } from './document-store.ts'
import { Rejection } from './rejection.ts'
import {
  checkExpiry,
  checkOrder,
  type Expectation,
  verifyRelease,
  verifyRoot,
  verifyState,
} from './verify-document.ts'

/** What taking a document needs. */
export interface Taker {
  readonly active: ActiveDocuments
  readonly store: DocumentStore
  readonly blobs: BlobStore
  readonly engine: ReleaseEngine
  readonly key: SealKeyPair
  readonly clock: Clock
  readonly log: Logger
}
/** Where a document comes from. Only an offered one has an expiry, and only then blobs can be fetched. */
export type Origin = 'disk' | { readonly fetchBlob: (digest: string) => Promise<Buffer> }
export interface Offer {
  readonly text: string
  readonly origin: Origin
  readonly identity: Identity
}
/** `same`: it is in use already. */
export type Taken = 'taken' | 'same'

function expectationOf(taker: Taker, { identity }: Offer): Expectation {
  const { organisationId, environment } = identity
  return { organisationId, environment, root: taker.active.root }
}

function sourceOf(taker: Taker, { origin }: Offer): BlobSource {
  return {
    store: taker.blobs,
    onDiskFailure: (error) => taker.log.error({ err: error }, 'a blob could not be kept on the disk'),
    ...(origin !== 'disk' && { fetch: origin.fetchBlob }),
  }
}

/** The disk is a courtesy: what it cannot keep is in use all the same. */
async function persist(taker: Taker, offer: Offer, store: () => Promise<void>): Promise<void> {
  if (offer.origin === 'disk') return
  try {
    await store()
  } catch (error) {
    taker.log.error({ err: error }, 'a document could not be kept on the disk')
  }
}

async function takeRoot(taker: Taker, offer: Offer): Promise<Taken> {
  const { active } = taker
  const verified = verifyRoot(offer.text, active.root)
  const { sequence } = verified.document
  if (sequence === active.root.sequence) return 'same'
  if (sequence < active.root.sequence) {
    throw new Rejection(`the root's sequence ${sequence} is lower than the active ${active.root.sequence}`)
  }
  active.root = verified.document
  await persist(taker, offer, () => taker.store.storeRoot(sequence, offer.text))
  return 'taken'
}

async function takeRelease(taker: Taker, offer: Offer): Promise<Taken> {
  const { active } = taker
  const verified = verifyRelease(offer.text, expectationOf(taker, offer))
  if (checkOrder(verified, active.release) === 'same') return 'same'
  if (offer.origin !== 'disk') checkExpiry(verified.document, taker.clock.nowMs())
  const source = sourceOf(taker, offer)
  active.setRelease(await activateRelease(verified, source, taker.engine, active.release))
  await persist(taker, offer, () => taker.store.store('release', offer.text))
  return 'taken'
}

async function takeState(taker: Taker, offer: Offer): Promise<Taken> {
  const { active } = taker
  const verified = verifyState(offer.text, expectationOf(taker, offer))
  if (checkOrder(verified, active.state) === 'same') return 'same'
  if (offer.origin !== 'disk') checkExpiry(verified.document, taker.clock.nowMs())
  active.revoke(verified.document.revoked)
  active.setState(await activateState(verified, sourceOf(taker, offer), active.state))
  await persist(taker, offer, () => taker.store.store('state', offer.text))
  return 'taken'
}

async function takeCredentials(taker: Taker, offer: Offer): Promise<Taken> {
  const { active } = taker
  const opened = await openCredentials(offer.text, taker.key, offer.identity)
  if (checkOrder(opened.head, active.credentials?.head) === 'same') return 'same'
  active.setCredentials(opened)
  await persist(taker, offer, () => taker.store.store('credentials', offer.text))
  return 'taken'
}

/** Removes blobs from the disk that no document in use names. */
export async function removeUnusedBlobs({ active, blobs }: Taker): Promise<number> {
  if (active.release === undefined || active.state === undefined) return 0
  const used = [...blobsOfRelease(active.release.document), ...blobsOfState(active.state.document)]
  return await blobs.removeAllBut(new Set(used))
}

const takers = { root: takeRoot, release: takeRelease, state: takeState, credentials: takeCredentials }

/**
 * Takes a document into use: verify → load what it names → compile and prove → swap → keep on the disk.
 * @throws Rejection where it will not do, Error where something it needs cannot be had; what was in use stays in use.
 */
export async function takeDocument(kind: DocumentKind, taker: Taker, offer: Offer): Promise<Taken> {
  return await takers[kind](taker, offer)
}
