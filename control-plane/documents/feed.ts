import type { CredentialDocument, DocumentKind, Envelope } from '@signalbox/sdk/contract'
import type { ChangeEvent, ChangeFeed } from '../db/change-feed.ts'
import type { Database } from '../db/connect.ts'
import { loadDocuments, loadRootDocument, type StoredDocument } from '../stores/documents.ts'
import { loadCredentials } from '../stores/gateway-sessions.ts'
import { type Ear, openEar } from './ear.ts'

/** A gateway as it asks for documents. */
export interface Reader {
  readonly organisationId: string
  readonly environment: string
  readonly gatewayId: string
}
export interface OfferedDocument {
  readonly kind: DocumentKind
  readonly sequence: number
  readonly body: Envelope | CredentialDocument
}

/** The newest documents, and waiting for newer ones. */
export interface DocumentFeed {
  newest(reader: Reader, kind: DocumentKind): Promise<OfferedDocument | undefined>
  /** The newest document once its sequence is above `sequence`; undefined after `timeoutMs` or when aborted. */
  waitFor(
    reader: Reader,
    wanted: { readonly kind: DocumentKind; readonly above: number },
    options: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<OfferedDocument | undefined>
  close(): void
}

/** Envelopes kept in memory; there are two per environment. */
const cachedDocumentsMax = 256

type SharedKind = 'root' | 'release' | 'state'

function nameOf(reader: { organisationId: string; environment: string }, kind: SharedKind): string {
  return kind === 'root'
    ? `${reader.organisationId} root`
    : `${reader.organisationId} ${reader.environment} ${kind}`
}

async function load(db: Database, reader: Reader, kind: SharedKind): Promise<OfferedDocument | undefined> {
  let row: Pick<StoredDocument, 'sequence' | 'envelope'> | undefined
  if (kind === 'root') row = await loadRootDocument(db, reader.organisationId)
  else [row] = await loadDocuments(db, { ...reader, kind }, 1)
  return row === undefined
    ? undefined
    : { kind, sequence: row.sequence, body: JSON.parse(row.envelope) as Envelope }
}

/**
 * Serves the newest envelopes from memory: a thousand gateways that come back at once read the database once. What
 * is kept is dropped when a change says that there is a newer one.
 */
export function createDocumentFeed(db: Database, changes: ChangeFeed): DocumentFeed {
  const cached = new Map<string, Promise<OfferedDocument | undefined>>()
  const drop = (event: ChangeEvent): void => {
    if (event.type === 'resync') cached.clear()
    else if (event.type === 'document' && event.kind !== 'credentials')
      cached.delete(nameOf(event, event.kind))
  }
  const unsubscribe = changes.subscribe(drop)

  const loadOnce = async (reader: Reader, kind: SharedKind): Promise<OfferedDocument | undefined> => {
    const name = nameOf(reader, kind)
    const known = cached.get(name)
    if (known !== undefined) return await known
    const loading = load(db, reader, kind)
    if (cached.size >= cachedDocumentsMax) cached.clear()
    cached.set(name, loading)
    try {
      const document = await loading
      // That there is none yet is not kept: it would have to be dropped by whoever makes the first.
      if (document === undefined && cached.get(name) === loading) cached.delete(name)
      return document
    } catch (error) {
      if (cached.get(name) === loading) cached.delete(name)
      throw error
    }
  }
  const newest: DocumentFeed['newest'] = async (reader, kind) => {
    if (kind !== 'credentials') return await loadOnce(reader, kind)
    const row = await loadCredentials(db, reader.gatewayId)
    return row === undefined
      ? undefined
      : { kind, sequence: row.sequence, body: JSON.parse(row.body) as CredentialDocument }
  }
  return {
    newest,
    async waitFor(reader, { kind, above }, { timeoutMs, signal }) {
      const deadlineMs = performance.now() + timeoutMs
      for (;;) {
        // Listening starts before looking, so that no change falls in between.
        const ear = openDocumentEar(changes, reader, [kind])
        try {
          const document = await newest(reader, kind)
          if (document !== undefined && document.sequence > above) return document
          const heard = await ear.heard({ timeoutMs: deadlineMs - performance.now(), signal })
          if (!heard) return undefined
        } finally {
          ear.close()
        }
      }
    },
    close: unsubscribe,
  }
}

export interface DocumentEar extends Ear {
  /** The kinds that have changed since it was last asked; all where some changes may have been missed. */
  takeKinds(): DocumentKind[]
}

/** Hears of new documents of some kinds that concern a reader. */
export function openDocumentEar(
  changes: ChangeFeed,
  reader: Reader,
  kinds: readonly DocumentKind[],
): DocumentEar {
  let changed = new Set<DocumentKind>()
  const ear = openEar(changes, (event) => {
    if (event.type === 'resync') changed = new Set(kinds)
    if (event.type !== 'document' || event.organisationId !== reader.organisationId) return false
    const here = event.kind === 'root' || event.environment === reader.environment
    if (!here || !kinds.includes(event.kind)) return false
    changed.add(event.kind)
    return true
  })
  return {
    ...ear,
    takeKinds() {
      const taken = [...changed]
      changed.clear()
      return taken
    },
  }
}
