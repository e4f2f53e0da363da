import { Refusal } from '@signalbox/sdk/contract'
import type { RedisLink } from '../redis/redis-link.ts'
import type { SnapshotSource } from '../snapshot.ts'

/** What `/readyz` says. */
export interface Readiness {
  readonly status: 200 | 503
  readonly body: {
    readonly status: 'ready' | 'not ready' | 'draining'
    readonly degraded?: boolean
    /** Of Redis or Valkey, where there is one. Calls go on without it. */
    readonly sharedStore?: 'connected' | 'away'
  }
}

/**
 * Whether calls should be sent here: a release and a state are active, the one that this start published among them,
 * the control plane answered or is away, and the gateway is not on its way out.
 */
export function readiness(
  snapshots: SnapshotSource,
  draining: boolean,
  sharedStore?: Pick<RedisLink, 'isUp'>,
): Readiness {
  if (draining) return { status: 503, body: { status: 'draining' } }
  try {
    snapshots.current()
    if ((snapshots.awaited?.() ?? []).length > 0) return { status: 503, body: { status: 'not ready' } }
    const shared = sharedStore && ({ sharedStore: sharedStore.isUp ? 'connected' : 'away' } as const)
    return { status: 200, body: { status: 'ready', degraded: snapshots.degraded(), ...shared } }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { status: 503, body: { status: 'not ready' } }
  }
}
