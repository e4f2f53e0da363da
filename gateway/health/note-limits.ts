import { type KeyPools, keyOf } from '../credentials/key-pools.ts'
import type { Target } from '../targets.ts'
import type { Exchange } from '../upstream/exchange.ts'
import type { HealthBoard } from './health-board.ts'
import { spentUntilMs } from './quota.ts'
import { limitsToldBy } from './rate-limit-headers.ts'
import type { TargetHealth } from './target-health.ts'

/** What an answer's head says of the provider's limits is told to these. */
export interface LimitBooks {
  readonly health: HealthBoard
  readonly keyPools: KeyPools
  readonly clock: () => number
}

/**
 * Keeps what the head of an answer says is left of the provider's limits. A key with nothing left rests until its
 * limit is whole again; a target whose keys all have nothing left is asked last until then.
 */
export function noteLimits(
  health: TargetHealth,
  { exchange, target }: { readonly exchange: Exchange; readonly target: Target },
  books: LimitBooks,
): void {
  const nowMs = books.clock()
  const windows = limitsToldBy(exchange.headers, nowMs)
  if (windows.length === 0) return
  const { name, pool = [], credential } = target.connection
  const isPool = pool.length > 1 && credential !== undefined
  const key = isPool ? keyOf(name, credential) : ''
  books.health.noteQuota(health, { key, keys: Math.max(1, pool.length), windows })
  const untilMs = spentUntilMs(windows)
  if (untilMs === undefined) return
  if (isPool) books.keyPools.spend(name, pool, { credential, untilMs, nowMs })
  if (health.quota.remaining.remainingPpm !== 0) return
  const waitMs = (isPool ? health.quota.endsAtMs : untilMs) - nowMs
  books.health.note(health, { kind: 'limited', waitMs })
}
