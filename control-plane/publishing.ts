import type { Logger } from '@signalbox/sdk/node'
import { type ChangeFeed, createChangeFeed } from './db/change-feed.ts'
import type { Database } from './db/connect.ts'
import { createDocumentFeed, type DocumentFeed, type Reader } from './documents/feed.ts'
import { keepMirror } from './documents/lay-mirror.ts'
import { createOfferedBlobs } from './documents/offered-blobs.ts'
import { createPublisher, type Publisher } from './documents/publisher.ts'
import { refreshDocuments, startRefresh } from './documents/refresh.ts'
import { createSessions, type Sessions } from './documents/sessions.ts'
import { createRecordFeed, type RecordFeed } from './record-feed.ts'
import type { SecretBox } from './secret-box.ts'

/** All that makes documents, offers them and tells of changes; one per program. */
export interface Publishing {
  readonly changes: ChangeFeed
  readonly publisher: Publisher
  readonly documents: DocumentFeed
  readonly sessions: Sessions
  readonly recordFeed: RecordFeed
  readonly mayReadBlob: (reader: Reader, digest: string) => Promise<boolean>
  /** Before the database is closed. */
  close(): Promise<void>
}

/** Connects, publishes what is due, and starts the refresh. */
export async function startPublishing(options: {
  readonly db: Database
  readonly databaseUrl: string
  readonly secrets: SecretBox
  readonly nowMs: () => number
  readonly newId: () => string
  readonly log: Logger
  /** Where documents are laid down too. */
  readonly mirrorDir?: string | undefined
}): Promise<Publishing> {
  const { db, log } = options
  const changes = await createChangeFeed({ url: options.databaseUrl, origin: options.newId(), log })
  const { mirrorDir } = options
  const publisher = createPublisher({ ...options, changes, mirrored: mirrorDir !== undefined })
  const documents = createDocumentFeed(db, changes)
  const sessions = createSessions(options)
  const recordFeed = createRecordFeed(db, changes)
  await refreshDocuments({ db, publisher, log })
  const stopRefresh = startRefresh({ db, publisher, log })
  const stopMirror = mirrorDir === undefined ? undefined : keepMirror({ db, changes, log, folder: mirrorDir })
  return {
    changes,
    publisher,
    documents,
    sessions,
    recordFeed,
    mayReadBlob: createOfferedBlobs(db, documents),
    async close() {
      await stopRefresh()
      await stopMirror?.()
      documents.close()
      recordFeed.close()
      await sessions.close()
      await changes.close()
    },
  }
}
