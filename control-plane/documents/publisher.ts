import type { Logger } from '@signalbox/sdk/node'
import { coalesce } from '../coalesce.ts'
import type { ChangeFeed } from '../db/change-feed.ts'
import type { Database, Transaction } from '../db/connect.ts'
import type { SecretBox } from '../secret-box.ts'
import type { Publication, StateWriter } from '../state-writer.ts'
import { loadDocuments, lockDocuments, type StoredDocument } from '../stores/documents.ts'
import { awaitAcks } from './acks.ts'
import { sealCredentials } from './credentials.ts'
import { buildRelease } from './release.ts'
import { requireAuthors } from './required-authors.ts'
import { buildState, type StateContent } from './state.ts'
import { sweepStateBlobs } from './sweep.ts'
import { documentReissueMs, isCurrent, writeDocument } from './write-document.ts'

export interface PublisherTools {
  readonly db: Database
  readonly changes: ChangeFeed
  readonly secrets: SecretBox
  readonly nowMs: () => number
  readonly log: Logger
  /** Documents are laid down in a mirror too. */
  readonly mirrored?: boolean
}
/** An organisation's environment. */
export interface Place {
  readonly organisationId: string
  readonly environment: string
}

export interface Publisher extends StateWriter {
  /** The release of what is deployed; null where nothing is. */
  publishRelease(organisationId: string, environment: string): Promise<Publication | null>
  /**
   * Changes what is deployed and makes the release that carries it, in one transaction: `change` gets the sequence of
   * that release. Where it gives null nothing was changed, and the newest release stands.
   */
  deploy<T>(
    place: Place,
    change: (tx: Transaction, releaseSequence: number) => Promise<T | null>,
  ): Promise<{ readonly change: T | null; readonly publication: Publication | null }>
}

function publicationOf(row: StoredDocument): Publication {
  const { organisationId, environment, kind, sequence } = row
  return { organisationId, environment, kind, sequence }
}

/** Who reads states from a mirror goes by their age, so there they are made anew in good time. */
function stateReissueMs({ mirrored = false }: PublisherTools, { stateAgeMsMax }: StateContent): number {
  if (!mirrored || stateAgeMsMax === 0) return documentReissueMs
  return Math.min(documentReissueMs, stateAgeMsMax / 4)
}

/** Makes a document where it says something new or the newest one is getting old. */
async function publishState(tools: PublisherTools, place: Place): Promise<Publication> {
  const nowMs = tools.nowMs()
  const written = await tools.db.transaction(async (tx) => {
    await lockDocuments(tx, place.organisationId, place.environment, 'state')
    const [newest] = await loadDocuments(tx, { ...place, kind: 'state' }, 1)
    const content = await buildState(tx, place, nowMs)
    const reissueMs = stateReissueMs(tools, content)
    if (newest !== undefined && (await isCurrent(tx, newest, { content, nowMs, reissueMs }))) {
      return { row: newest, fresh: false }
    }
    const sequence = (newest?.sequence ?? 0) + 1
    const row = await writeDocument(tx, { ...tools, nowMs }, { ...place, kind: 'state', sequence, content })
    await sweepStateBlobs(tx, place, sequence)
    await tools.changes.announce(tx, { type: 'document', ...publicationOf(row) })
    return { row, fresh: true }
  })
  const publication = publicationOf(written.row)
  if (written.fresh) tools.changes.emit({ type: 'document', ...publication })
  return publication
}

async function publishDeployed<T>(
  tools: PublisherTools,
  place: Place,
  change: (tx: Transaction, releaseSequence: number) => Promise<T | null>,
): Promise<{ change: T | null; publication: Publication | null }> {
  const nowMs = tools.nowMs()
  const written = await tools.db.transaction(async (tx) => {
    await lockDocuments(tx, place.organisationId, place.environment, 'release')
    const [newest] = await loadDocuments(tx, { ...place, kind: 'release' }, 1)
    const sequence = (newest?.sequence ?? 0) + 1
    const changed = await change(tx, sequence)
    const content = await buildRelease(tx, place)
    if (content === undefined) return { changed, row: undefined, fresh: false }
    if (changed !== null) await requireAuthors(tx, place, content.versions)
    const wanted = { content, nowMs, reissueMs: documentReissueMs }
    if (newest !== undefined && (await isCurrent(tx, newest, wanted)))
      return { changed, row: newest, fresh: false }
    const row = await writeDocument(tx, { ...tools, nowMs }, { ...place, kind: 'release', sequence, content })
    await tools.changes.announce(tx, { type: 'document', ...publicationOf(row) })
    return { changed, row, fresh: true }
  })
  const publication = written.row === undefined ? null : publicationOf(written.row)
  if (written.fresh && publication !== null) tools.changes.emit({ type: 'document', ...publication })
  return { change: written.changed, publication }
}

function placeOf(key: string): Place {
  const [organisationId = '', environment = ''] = key.split(' ')
  return { organisationId, environment }
}

/**
 * Makes the documents that gateways run, from what the database holds. Requests for the same document that come while
 * one is made share the next one: a hundred keys made at once need two or three states, not a hundred.
 */
export function createPublisher(tools: PublisherTools): Publisher {
  const noChange = async () => null
  const state = coalesce((key) => publishState(tools, placeOf(key)))
  const release = coalesce((key) => publishDeployed(tools, placeOf(key), noChange))
  const credentials = coalesce((key) => sealCredentials(tools, placeOf(key)))
  return {
    publishState: (organisationId, environment) => state(`${organisationId} ${environment}`),
    async publishRelease(organisationId, environment) {
      const { publication } = await release(`${organisationId} ${environment}`)
      return publication
    },
    publishCredentials: (organisationId, environment) => credentials(`${organisationId} ${environment}`),
    awaitAcks: (publication, options) => awaitAcks(tools, publication, options),
    deploy: (place, change) => publishDeployed(tools, place, change),
  }
}
