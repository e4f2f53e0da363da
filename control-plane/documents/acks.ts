import type { ChangeFeed } from '../db/change-feed.ts'
import type { Database } from '../db/connect.ts'
import type { Publication } from '../state-writer.ts'
import { loadConnectedGateways } from '../stores/gateway-sessions.ts'
import { openEar } from './ear.ts'

/**
 * Waits until every gateway that is connected to the environment runs the document or a later one. A gateway that
 * rejected it, or is gone meanwhile, is not waited for.
 * @returns Those that do not run it, as `gateway <id>`; one that rejected it is among them.
 */
export async function awaitAcks(
  tools: { readonly db: Database; readonly changes: ChangeFeed; readonly nowMs: () => number },
  publication: Publication,
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<string[]> {
  const { organisationId, environment, sequence } = publication
  const deadlineMs = performance.now() + options.timeoutMs
  const ear = openEar(
    tools.changes,
    (event) =>
      event.type === 'ack' && event.organisationId === organisationId && event.environment === environment,
  )
  try {
    for (;;) {
      const leftMs = deadlineMs - performance.now()
      const gateways = await loadConnectedGateways(tools.db, { ...publication, nowMs: tools.nowMs() })
      const behind = gateways.filter((each) => each.activeSequence < sequence)
      const waited = behind.filter((each) => each.rejectedSequence < sequence)
      if (waited.length === 0 || leftMs <= 0 || options.signal.aborted) {
        return behind.map((each) => `gateway ${each.id}`)
      }
      await ear.heard({ timeoutMs: leftMs, signal: options.signal })
    }
  } finally {
    ear.close()
  }
}
