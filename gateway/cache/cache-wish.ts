import type { Decision } from '@signalbox/sdk/contract'
import type { CallOptions } from '../steps/read-options.ts'

/** What a call does with the cache. */
export interface CacheWish {
  readonly reads: boolean
  readonly writes: boolean
  /** An answer is kept for so long, and an older one is not taken. */
  readonly ttlMs: number
}

/** Where nobody says for how long. */
const ttlMsDefault = 300_000

/**
 * What the policies and the caller want together; undefined: the cache has no part in the call. Policies narrow: what
 * they turn off stays off, and with `read` nothing is kept. Where they say nothing the caller's word counts.
 */
export function cacheWish(decided: Decision['cache'], asked: CallOptions['cache']): CacheWish | undefined {
  if (decided === 'off' || asked?.mode === 'off') return undefined
  if (decided === undefined && asked === undefined) return undefined
  const wish = {
    reads: asked?.mode !== 'refresh',
    writes: decided !== 'read',
    ttlMs: asked?.ttlMs ?? ttlMsDefault,
  }
  return wish.reads || wish.writes ? wish : undefined
}
