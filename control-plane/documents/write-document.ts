import type { ReleaseDocument, StateDocument } from '@signalbox/sdk/contract'
import { digestOf, digestOfJson, type SigningKey, signDocument } from '@signalbox/sdk/node'
import type { Transaction } from '../db/connect.ts'
import type { SecretBox } from '../secret-box.ts'
import { signingKeyContext } from '../secret-contexts.ts'
import {
  insertDocument,
  loadReleaseKeys,
  loadRootDocument,
  type SignedKind,
  type StoredDocument,
} from '../stores/documents.ts'
import { loadRoot } from './required-authors.ts'

type Head = 'type' | 'organisationId' | 'environment' | 'sequence' | 'createdMs' | 'expiresMs' | 'rollbackOf'
/** What a document says beside its head: the same content needs no new document. */
export type DocumentContent<T extends ReleaseDocument | StateDocument> = Omit<T, Head>

/** How long a gateway takes a document that is offered to it. */
export const documentLifetimeMs = 7 * 86_400_000
/** A document this old is made anew, with the same content: well before it expires. */
export const documentReissueMs = documentLifetimeMs / 2

/**
 * Whether the newest document still says it, will be taken for long enough, and is signed by those who stand in the
 * newest root: who restarts after a rotation must find one that verifies.
 */
export async function isCurrent(
  tx: Transaction,
  newest: StoredDocument,
  wanted: {
    readonly content: DocumentContent<ReleaseDocument | StateDocument>
    readonly nowMs: number
    readonly reissueMs: number
  },
): Promise<boolean> {
  const { content, nowMs, reissueMs } = wanted
  if (nowMs >= newest.createdMs + reissueMs || newest.contentDigest !== digestOfJson(content)) return false
  const root = await loadRootDocument(tx, newest.organisationId)
  // Documents from before this was noted are of the first root.
  return root === undefined || (newest.rootSequence ?? 1) === root.sequence
}

async function loadSigners(
  tx: Transaction,
  organisationId: string,
  secrets: SecretBox,
): Promise<SigningKey[]> {
  const { root } = await loadRoot(tx, organisationId)
  const { keyIds } = root.roles.release
  const rows = (await loadReleaseKeys(tx, organisationId)).filter(({ keyId }) => keyIds.includes(keyId))
  if (rows.length === 0) throw new Error('the organisation has no key of role "release"')
  return rows.map((row) => ({
    ...row,
    privateKey: secrets.decrypt(row.privateKey, signingKeyContext(organisationId, row.keyId)),
  }))
}

/**
 * Signs a document with every release key of the newest root that is held here, and keeps it. Runs under the lock of
 * its kind, so that sequences have neither holes nor doubles.
 */
export async function writeDocument(
  tx: Transaction,
  tools: { readonly secrets: SecretBox; readonly nowMs: number },
  document: {
    readonly organisationId: string
    readonly environment: string
    readonly kind: SignedKind
    readonly sequence: number
    readonly content: DocumentContent<ReleaseDocument | StateDocument>
  },
): Promise<StoredDocument> {
  const { organisationId, environment, kind, sequence, content } = document
  const createdMs = tools.nowMs
  const expiresMs = createdMs + documentLifetimeMs
  const head = { organisationId, environment, sequence, createdMs, expiresMs, rollbackOf: null }
  const signers = await loadSigners(tx, organisationId, tools.secrets)
  const root = await loadRootDocument(tx, organisationId)
  const envelope = signDocument({ type: `${kind}/1`, ...head, ...content }, 'release', signers)
  const row: StoredDocument = {
    ...head,
    kind,
    envelope: JSON.stringify(envelope),
    digest: digestOf(envelope.payload),
    contentDigest: digestOfJson(content),
    rootSequence: root?.sequence ?? null,
  }
  await insertDocument(tx, row)
  return row
}
