import type { BlobStore } from './blob-store.ts'

/** A blob may be this large at most, whatever the document says. */
export const blobBytesMax = 64 * 1024 * 1024
const fetchesAtOnce = 8

/** Where blobs come from: the disk first, then the control plane. */
export interface BlobSource {
  readonly store: BlobStore
  /** Fetches a blob and checks its digest. Absent while a document is loaded from the disk alone. */
  readonly fetch?: (digest: string) => Promise<Buffer>
  /** A blob could not be kept. It is used all the same: the disk is a courtesy. */
  readonly onDiskFailure: (error: unknown) => void
}

/** One blob, from the disk or fetched and kept. @throws Error where it is nowhere, or is not what its digest says. */
export async function collectBlob(digest: string, source: BlobSource): Promise<Buffer> {
  const kept = await source.store.load(digest)
  if (kept !== undefined) return kept
  if (source.fetch === undefined)
    throw new Error(`the blob ${digest} is not on the disk, or is damaged there`)
  const bytes = await source.fetch(digest)
  await source.store.store(digest, bytes).catch(source.onDiskFailure)
  return bytes
}

/** Takes each blob in turn of arrival; a few are fetched at the same time. The first failure ends it. */
export async function forEachBlob(
  digests: readonly string[],
  source: BlobSource,
  take: (digest: string, bytes: Buffer) => void,
): Promise<void> {
  let next = 0
  const work = async (): Promise<void> => {
    for (;;) {
      const digest = digests[next++]
      if (digest === undefined) return
      take(digest, await collectBlob(digest, source))
    }
  }
  await Promise.all(Array.from({ length: Math.min(fetchesAtOnce, digests.length) }, work))
}
