import type { Logger } from '@signalbox/sdk/node'
import type { Database } from '../db/connect.ts'
import { loadAllEnvironments } from '../stores/documents.ts'
import type { Publisher } from './publisher.ts'

/** How often all documents are looked at. */
export const refreshIntervalMs = 60_000

/**
 * Publishes every environment's documents: where nothing has changed and none is getting old this writes nothing.
 * It heals a crash between a change and its publication, and makes documents anew long before they expire.
 * @returns How many environments could not be published.
 */
export async function refreshDocuments(tools: {
  readonly db: Database
  readonly publisher: Publisher
  readonly log: Logger
}): Promise<number> {
  const { publisher } = tools
  let failed = 0
  for (const { organisationId, environment } of await loadAllEnvironments(tools.db)) {
    try {
      await publisher.publishState(organisationId, environment)
      await publisher.publishRelease(organisationId, environment)
      await publisher.publishCredentials(organisationId, environment)
    } catch (error) {
      failed++
      tools.log.error({ err: error, organisationId, environment }, 'the documents could not be published')
    }
  }
  return failed
}

/** Refreshes now and then; gives how to stop, which waits for a refresh that runs. */
export function startRefresh(tools: Parameters<typeof refreshDocuments>[0]): () => Promise<void> {
  let running: Promise<unknown> | undefined
  const refresh = (): void => {
    if (running !== undefined) return
    running = refreshDocuments(tools)
      .catch((error) => tools.log.warn({ err: error }, 'the environments could not be listed'))
      .finally(() => {
        running = undefined
      })
  }
  const timer = setInterval(refresh, refreshIntervalMs)
  timer.unref()
  return async () => {
    clearInterval(timer)
    await running
  }
}
