import { createHash } from 'node:crypto'
import {
  type DocumentKind,
  type Envelope,
  ReleaseDocument,
  type RootDocument,
  StateDocument,
} from '@signalbox/sdk/contract'
import { createLogger, createSecret, fits, openEnvelope } from '@signalbox/sdk/node'
import { sql } from 'drizzle-orm'
import { v7 as newId } from 'uuid'
import { bootstrap } from '../../../control-plane/bootstrap.ts'
import { connectDatabase, type Database } from '../../../control-plane/db/connect.ts'
import { type Publishing, startPublishing } from '../../../control-plane/publishing.ts'
import { createSecretBox } from '../../../control-plane/secret-box.ts'
import { loadRootDocument } from '../../../control-plane/stores/documents.ts'
import { findRootNode } from '../../../control-plane/stores/nodes.ts'

export const environment = 'development'
export interface TestPublishing extends Publishing {
  readonly db: Database
  readonly organisationId: string
  readonly clock: { nowMs: number }
  /** The newest state, its signatures checked against the root document. */
  readState(): Promise<StateDocument>
  stop(): Promise<void>
}

/** The publishing side of a control plane, without HTTP; several may share one database. */
export async function startTestPublishing(databaseUrl: string): Promise<TestPublishing> {
  const log = createLogger('control-plane', 'silent')
  const { db, close } = connectDatabase(databaseUrl, log)
  const secrets = createSecretBox('a secret key for tests, long enough to be taken')
  const clock = { nowMs: Date.UTC(2026, 8, 1, 12) }
  const nowMs = () => clock.nowMs
  const rootToken = { secret: createSecret('root'), configured: false }
  const { organisationId } = await bootstrap({ db, secrets, nowMs, newId, environment, rootToken })
  const publishing = await startPublishing({ db, databaseUrl, secrets, nowMs, newId, log })
  const reader = { organisationId, environment, gatewayId: newId() }
  return {
    ...publishing,
    db,
    organisationId,
    clock,
    async readState() {
      const newest = await publishing.documents.newest(reader, 'state')
      const root = await loadRootDocument(db, organisationId)
      if (newest === undefined || root === undefined) throw new Error('there is no state')
      return openDocument(
        newest.body as Envelope,
        'state',
        JSON.parse(root.envelope) as Envelope,
      ) as StateDocument
    },
    async stop() {
      await publishing.close()
      await close()
    },
  }
}

/** What an envelope says, once its signatures and its form are checked. */
export function openDocument(
  envelope: Envelope,
  kind: DocumentKind,
  rootEnvelope: Envelope,
): ReleaseDocument | StateDocument {
  const root = JSON.parse(rootEnvelope.payload) as RootDocument
  const payload = openEnvelope(envelope, 'release', root)
  if (kind === 'release' ? !fits(ReleaseDocument, payload) : !fits(StateDocument, payload)) {
    throw new Error(`the payload is no ${kind}`)
  }
  return payload as ReleaseDocument | StateDocument
}

export function hashOfKey(index: number): string {
  return createHash('sha256').update(`key ${index}`).digest('hex')
}

/** Writes keys `from` to `to` (not included) straight into the database. */
export async function insertKeys(publishing: TestPublishing, from: number, to: number): Promise<void> {
  const { db, organisationId } = publishing
  const root = await findRootNode(db, organisationId)
  for (let start = from; start < to; start += 10_000) {
    const rows = Array.from({ length: Math.min(10_000, to - start) }, (_, offset) => ({
      id: newId(),
      name: `key ${start + offset}`,
      hash: hashOfKey(start + offset),
    }))
    await db.execute(sql`
      insert into api_key (id, organisation_id, node_id, environment, name, hash, start, created)
      select id, ${organisationId}::uuid, ${root.id}::uuid, ${environment}, name, hash, 'sb_d', now()
      from json_to_recordset(${JSON.stringify(rows)}::json) as r(id uuid, name text, hash text)`)
  }
}
