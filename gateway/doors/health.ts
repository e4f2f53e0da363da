import { Refusal } from '@signalbox/sdk/contract'
import type { SnapshotSource } from '../snapshot.ts'

/** What `/readyz` says. */
export interface Readiness {
  readonly status: 200 | 503
  readonly body: { readonly status: 'ready' | 'not ready' | 'draining'; readonly degraded?: boolean }
}

/** Whether calls can be served: a release and a state are active, and the gateway is not on its way out. */
export function readiness(snapshots: SnapshotSource, draining: boolean): Readiness {
  if (draining) return { status: 503, body: { status: 'draining' } }
  try {
    snapshots.current()
    return { status: 200, body: { status: 'ready', degraded: snapshots.degraded() } }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { status: 503, body: { status: 'not ready' } }
  }
}
