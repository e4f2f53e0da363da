import { hash } from 'node:crypto'
import type { StateLimit } from '@signalbox/sdk/contract'
import { type ByOwner, byOwner, ownedOnPath } from '../owned-by.ts'
import type { Snapshot } from '../snapshot.ts'

/** What limits look at of a call. */
export interface LimitedCall {
  readonly keyId: string
  /** Names that mean its model: as asked, the alias, the target that is tried first. */
  readonly models: readonly string[]
  /** The target that is tried first: what `per: model` goes by. */
  readonly target: string
  readonly metadata: Readonly<Record<string, string | number | boolean>>
  readonly userId: string | undefined
  /** Estimate of its input and output. */
  readonly tokens: number
}
/** A limit that a call is under, and the counter that it counts on there. */
export interface LimitUse {
  readonly limit: StateLimit
  readonly counter: string
  readonly amount: number
}

interface SnapshotLimits {
  readonly owned: ByOwner<StateLimit>
  readonly ofKeys: Map<string, readonly StateLimit[]>
}

/** Keys whose limits are kept ready. */
const keysMax = 10_000
const metadataPrefix = 'metadata.'
const known = new WeakMap<Snapshot, SnapshotLimits>()
const none: readonly StateLimit[] = []

function indexOf(snapshot: Snapshot, limits: readonly StateLimit[]): SnapshotLimits {
  let index = known.get(snapshot)
  if (index === undefined) {
    index = { owned: byOwner(limits), ofKeys: new Map() }
    known.set(snapshot, index)
  }
  return index
}

/** The limits of a key and of every node above it, nearest first. Empty for most, and then found without a look. */
export function limitsOf(
  snapshot: Snapshot,
  key: { readonly id: string; readonly node: string },
): readonly StateLimit[] {
  const { rateLimits } = snapshot.state
  if (rateLimits === undefined || rateLimits.length === 0) return none
  const { owned, ofKeys } = indexOf(snapshot, rateLimits)
  const ready = ofKeys.get(key.id)
  if (ready !== undefined) return ready
  const found = ownedOnPath(owned, key, snapshot)
  if (ofKeys.size < keysMax) ofKeys.set(key.id, found)
  return found
}

/** What tells the counters of a limit apart; undefined where the call has no such value, and is not counted. */
function counterValue(per: string, call: LimitedCall): string | undefined {
  if (per === 'key') return call.keyId
  if (per === 'user') return call.userId === undefined ? undefined : nameless(call.userId)
  if (per === 'model') return call.target
  const value = call.metadata[per.slice(metadataPrefix.length)]
  return value === undefined ? undefined : nameless(`${typeof value} ${value}`)
}

/** Who a caller's users are is not for a shared store to know. */
const nameless = (value: string): string => hash('sha256', value, 'base64url')

function amountOf({ unit, limit }: StateLimit, call: LimitedCall): number {
  if (unit !== 'tokens') return 1
  // A guess alone must not keep a call out of an empty window for ever.
  return Math.min(call.tokens, limit)
}

/** Which of the limits hold for a call, and where it counts. */
export function usesOf(limits: readonly StateLimit[], call: LimitedCall): LimitUse[] {
  const uses: LimitUse[] = []
  for (const limit of limits) {
    const { model, metadata, per } = limit
    if (model !== undefined && !call.models.includes(model)) continue
    if (metadata !== undefined && call.metadata[metadata.name] !== metadata.value) continue
    const value = per === undefined ? '' : counterValue(per, call)
    if (value === undefined) continue
    const counter = value === '' ? limit.id : `${limit.id} ${value}`
    uses.push({ limit, counter, amount: amountOf(limit, call) })
  }
  return uses
}
