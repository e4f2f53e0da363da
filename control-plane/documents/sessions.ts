import type { Logger } from '@signalbox/sdk/node'
import type { Database } from '../db/connect.ts'
import { storeConnectedUntil } from '../stores/gateway-sessions.ts'

/** How a gateway hears of new documents. */
export type SessionKind = 'events' | 'poll'

/**
 * Which gateways are connected: those with an event stream or a long poll open, here or at another control plane.
 * Administrative writes wait for them.
 */
export interface Sessions {
  /** Resolves once the gateway counts as connected. Call what it gives when the stream or poll ends. */
  open(gatewayId: string, kind: SessionKind): Promise<() => void>
  /** Waits for what is being written. */
  close(): Promise<void>
}

/** While something is open the end is set this far ahead; a control plane that dies leaves no gateway connected. */
const aheadMs = 30_000
const renewMs = 10_000
/** How long a gateway still counts after the end: a poll is followed by the next, a stream comes back or is gone. */
const lingerMs: Readonly<Record<SessionKind, number>> = { events: 5_000, poll: 30_000 }

export function createSessions(tools: {
  readonly db: Database
  readonly nowMs: () => number
  readonly log: Logger
}): Sessions {
  const open = new Map<string, number>()
  const writing = new Set<Promise<void>>()
  const store = async (gatewayId: string, forMs: number): Promise<void> => {
    try {
      const nowMs = tools.nowMs()
      await storeConnectedUntil(tools.db, gatewayId, { nowMs, connectedUntilMs: nowMs + forMs })
    } catch (error) {
      tools.log.warn({ err: error, gatewayId }, 'it was not noted whether the gateway is connected')
    }
  }
  const storeAside = (gatewayId: string, forMs: number): void => {
    const write = store(gatewayId, forMs).finally(() => writing.delete(write))
    writing.add(write)
  }
  const timer = setInterval(() => {
    for (const gatewayId of open.keys()) storeAside(gatewayId, aheadMs)
  }, renewMs)
  timer.unref()
  return {
    async open(gatewayId, kind) {
      open.set(gatewayId, (open.get(gatewayId) ?? 0) + 1)
      await store(gatewayId, aheadMs)
      let ended = false
      return () => {
        if (ended) return
        ended = true
        const left = (open.get(gatewayId) ?? 1) - 1
        if (left > 0) {
          open.set(gatewayId, left)
        } else {
          open.delete(gatewayId)
          storeAside(gatewayId, lingerMs[kind])
        }
      }
    },
    async close() {
      clearInterval(timer)
      await Promise.all(writing)
    },
  }
}
