import { Refusal, type StateLimit } from '@signalbox/sdk/contract'
import type { Snapshot } from '../snapshot.ts'
import type { LimitUse } from './call-limits.ts'

/** A limit that has no room, and how long until it may have. */
export interface FullLimit {
  readonly use: LimitUse
  readonly waitMs: number
}

function ownerOf({ owner, per }: StateLimit, snapshot: Snapshot): string {
  const each = per === undefined ? '' : ` for each ${per.replace('metadata.', '')}`
  if (owner.kind === 'key') return ` of this key${each}`
  const node = snapshot.nodes.get(owner.id)
  return node === undefined ? each : ` of the ${node.kind} "${node.name}"${each}`
}

function describe(limit: StateLimit, snapshot: Snapshot): string {
  const owner = ownerOf(limit, snapshot)
  if (limit.unit === 'concurrency') return `${limit.limit} calls at the same time${owner}`
  return `${limit.limit} ${limit.unit} per ${limit.window}${owner}`
}

/** What the caller is told: the limit that takes longest to have room again. */
export function refusalOf(full: readonly FullLimit[], snapshot: Snapshot): Refusal {
  const last = full.reduce((a, b) => (b.waitMs > a.waitMs ? b : a))
  const { limit } = last.use
  const retryAfterS = Math.max(1, Math.ceil(last.waitMs / 1000))
  const again = limit.limit === 0 ? '' : ` Try again in ${retryAfterS} s.`
  return new Refusal(limit.unit === 'concurrency' ? 'concurrency_limited' : 'rate_limited', {
    message: `The limit of ${describe(limit, snapshot)} is reached.${again}`,
    retryAfterS,
    detail: `limit ${limit.id}`,
  })
}
