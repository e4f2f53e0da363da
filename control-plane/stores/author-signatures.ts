import type { AuthorSignature } from '@signalbox/sdk/node'
import { and, asc, eq, inArray } from 'drizzle-orm'
import type { Queryable, Transaction } from '../db/connect.ts'
import { authorSignature } from '../db/schema.ts'

/** Keeps what authors said of a version; what was said already stays. */
export async function insertAuthorSignatures(
  tx: Transaction,
  version: { readonly organisationId: string; readonly digest: string },
  said: { readonly signatures: readonly AuthorSignature[]; readonly by: string; readonly createdMs: number },
): Promise<void> {
  const { signatures, ...rest } = said
  if (signatures.length === 0) return
  const rows = signatures.map(({ keyId, sig }) => ({ ...version, ...rest, keyId, signature: sig }))
  await tx.insert(authorSignature).values(rows).onConflictDoNothing()
}

/** What authors said of versions, by digest. */
export async function loadAuthorSignatures(
  q: Queryable,
  organisationId: string,
  digests: readonly string[],
): Promise<Map<string, AuthorSignature[]>> {
  const found = new Map<string, AuthorSignature[]>()
  if (digests.length === 0) return found
  const rows = await q
    .select()
    .from(authorSignature)
    .where(
      and(eq(authorSignature.organisationId, organisationId), inArray(authorSignature.digest, [...digests])),
    )
    .orderBy(asc(authorSignature.digest), asc(authorSignature.keyId))
  for (const { digest, keyId, signature } of rows) {
    found.set(digest, [...(found.get(digest) ?? []), { keyId, sig: signature }])
  }
  return found
}
