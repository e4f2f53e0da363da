import { and, eq, sql } from 'drizzle-orm'
import type { Queryable } from '../db/connect.ts'
import { blob } from '../db/schema.ts'

/** Blobs sent to the database in one statement. */
const blobsPerStatementMax = 64

/** Keeps blobs under their digests; those that are there already are not sent again. */
export async function storeBlobs(
  q: Queryable,
  organisationId: string,
  blobs: ReadonlyMap<string, Uint8Array>,
  createdMs: number,
): Promise<void> {
  const present = await presentDigests(q, organisationId, [...blobs.keys()])
  const missing = [...blobs].filter(([digest]) => !present.has(digest))
  for (let start = 0; start < missing.length; start += blobsPerStatementMax) {
    const rows = missing
      .slice(start, start + blobsPerStatementMax)
      .map(([digest, bytes]) => ({ organisationId, digest, bytes, createdMs }))
    await q.insert(blob).values(rows).onConflictDoNothing()
  }
}

async function presentDigests(
  q: Queryable,
  organisationId: string,
  digests: readonly string[],
): Promise<Set<string>> {
  const rows = await q
    .select({ digest: blob.digest })
    .from(blob)
    .where(
      and(eq(blob.organisationId, organisationId), sql`${blob.digest} = any(${sql.param([...digests])})`),
    )
  return new Set(rows.map((row) => row.digest))
}

export async function loadBlob(
  q: Queryable,
  organisationId: string,
  digest: string,
): Promise<Uint8Array | undefined> {
  const rows = await q
    .select({ bytes: blob.bytes })
    .from(blob)
    .where(and(eq(blob.organisationId, organisationId), eq(blob.digest, digest)))
  return rows[0]?.bytes
}

/** Sizes of those blobs that are there, by digest. */
export async function loadBlobSizes(
  q: Queryable,
  organisationId: string,
  digests: readonly string[],
): Promise<Map<string, number>> {
  const rows = await q
    .select({ digest: blob.digest, bytes: sql<number>`octet_length(${blob.bytes})` })
    .from(blob)
    .where(
      and(eq(blob.organisationId, organisationId), sql`${blob.digest} = any(${sql.param([...digests])})`),
    )
  return new Map(rows.map((row) => [row.digest, row.bytes]))
}

/** Forgets blobs that no document or version names any more; the caller has made sure of that. */
export async function deleteBlobs(
  q: Queryable,
  organisationId: string,
  digests: readonly string[],
): Promise<void> {
  if (digests.length === 0) return
  await q
    .delete(blob)
    .where(
      and(eq(blob.organisationId, organisationId), sql`${blob.digest} = any(${sql.param([...digests])})`),
    )
}
