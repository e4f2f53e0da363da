import { Refusal } from '@signalbox/sdk/contract'
import type { SnapshotSource } from '../snapshot.ts'

/** What `/readyz` says. */
export interface Readiness {
  readonly status: 200 | 503
  readonly body: { readonly status: 'ready' | 'not ready' | 'draining'; readonly degraded?: boolean }
}

/**
 * Whether calls should be sent here: a release and a state are active, the one that this start published among them,
 * the control plane answered or is away, and the gateway is not on its way out.
 */
export function readiness(snapshots: SnapshotSource, draining: boolean): Readiness {
  if (draining) return { status: 503, body: { status: 'draining' } }
  try {
    snapshots.current()
    if ((snapshots.awaited?.() ?? []).length > 0) return { status: 503, body: { status: 'not ready' } }
    return { status: 200, body: { status: 'ready', degraded: snapshots.degraded() } }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { status: 503, body: { status: 'not ready' } }
  }
}
