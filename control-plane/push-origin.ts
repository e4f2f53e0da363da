import { type BodyOf, Refusal, type versionOperations } from '@signalbox/sdk/contract'
import { type AuthorSignature, countAuthors } from '@signalbox/sdk/node'
import type { Database, Transaction } from './db/connect.ts'
import { loadRoot } from './documents/required-authors.ts'
import type { RequestContext } from './handler.ts'
import { findCiJob } from './stores/tokens.ts'
import { findVersion } from './stores/versions.ts'

type PushRequest = BodyOf<typeof versionOperations.pushVersion>

/** The version that an edit outside Git started from. @throws Refusal `not_found`. */
export async function parentOf(
  { db }: { readonly db: Database },
  { organisationId }: RequestContext,
  { parent }: PushRequest,
): Promise<string | null> {
  return parent === undefined ? null : (await findVersion(db, organisationId, parent)).digest
}

/** @throws Refusal for a signature that is not of an author that the root document names. */
export async function checkAuthors(
  { db }: { readonly db: Database },
  { organisationId }: RequestContext,
  { digest, signatures }: { digest: string; signatures: readonly AuthorSignature[] },
): Promise<void> {
  if (signatures.length === 0) return
  const { root } = await loadRoot(db, organisationId)
  const wrong = signatures.find((each) => countAuthors(digest, [each], root) === 0)
  if (wrong === undefined) return
  throw new Refusal('invalid_request', {
    message: `The signature of key ${wrong.keyId} is not of an author that the root document names: see \`signalbox trust show\`.`,
    param: 'signatures',
  })
}

/** Where a push comes from: what the identity of a CI job says counts more than what the push says of itself. */
export async function originOf(
  tx: Transaction,
  { caller }: RequestContext,
  request: PushRequest,
): Promise<{ commit: string | null; ciRun: string | null }> {
  const commit = request.commit ?? null
  const ciRun = request.ciRun ?? null
  const job = caller.kind === 'token' ? await findCiJob(tx, caller.id) : undefined
  if (job === undefined) return { commit, ciRun }
  // What was changed after the checkout is of no commit, whatever the job was started for.
  const dirty = commit?.endsWith('-dirty') === true ? '-dirty' : ''
  const sure = job.commit === undefined ? commit : `${job.commit}${dirty}`.slice(0, 64)
  return { commit: sure, ciRun: job.run ?? ciRun }
}
