import { type Envelope, Refusal, type ReleaseDocument, type RootDocument } from '@signalbox/sdk/contract'
import { authorsWanted, countAuthors } from '@signalbox/sdk/node'
import type { Queryable } from '../db/connect.ts'
import { loadRootDocument } from '../stores/documents.ts'

type Versions = ReleaseDocument['versions']

/** The newest root document. */
export async function loadRoot(
  q: Queryable,
  organisationId: string,
): Promise<{ root: RootDocument; envelope: Envelope }> {
  const row = await loadRootDocument(q, organisationId)
  if (row === undefined) throw new Error(`organisation ${organisationId} has no root document`)
  const envelope = JSON.parse(row.envelope) as Envelope
  return { root: JSON.parse(envelope.payload) as RootDocument, envelope }
}

/** A version that too few authors have signed for an environment: `v12 has 0 of 1 …`; undefined where all have. */
export function unsignedVersion(
  versions: Versions,
  environment: string,
  root: RootDocument,
): string | undefined {
  const wanted = authorsWanted(root, environment)
  for (const [digest, { number, authors = [] }] of Object.entries(versions)) {
    const count = countAuthors(digest, authors, root)
    if (count < wanted)
      return `v${number} has ${count} of ${wanted} signatures of authors that ${environment} asks for`
  }
  return undefined
}

/** @throws Refusal where gateways of the environment would not take a release with these versions. */
export async function requireAuthors(
  q: Queryable,
  place: { readonly organisationId: string; readonly environment: string },
  versions: Versions,
): Promise<void> {
  const { root } = await loadRoot(q, place.organisationId)
  const unsigned = unsignedVersion(versions, place.environment, root)
  if (unsigned === undefined) return
  throw new Refusal('conflict', {
    message: `${unsigned}: push it again from where SIGNALBOX_AUTHOR_KEY is set.`,
  })
}
