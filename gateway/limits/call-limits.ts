import { hash } from 'node:crypto'
import type { StateLimit, TreeNode } from '@signalbox/sdk/contract'
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
  readonly byOwner: ReadonlyMap<string, readonly StateLimit[]>
  readonly ofKeys: Map<string, readonly StateLimit[]>
}

/** A tree is at most this deep. */
const depthMax = 32
/** Keys whose limits are kept ready. */
const keysMax = 10_000
const metadataPrefix = 'metadata.'
const known = new WeakMap<Snapshot, SnapshotLimits>()
const none: readonly StateLimit[] = []

const ownerKey = (kind: string, id: string): string => `${kind}:${id}`

function indexOf(snapshot: Snapshot, limits: readonly StateLimit[]): SnapshotLimits {
  let index = known.get(snapshot)
  if (index === undefined) {
    const byOwner = Map.groupBy(limits, ({ owner }) => ownerKey(owner.kind, owner.id))
    index = { byOwner, ofKeys: new Map() }
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
  const { byOwner, ofKeys } = indexOf(snapshot, rateLimits)
  const ready = ofKeys.get(key.id)
  if (ready !== undefined) return ready
  const found = [...(byOwner.get(ownerKey('key', key.id)) ?? [])]
  let node: TreeNode | undefined = snapshot.nodes.get(key.node)
  for (let depth = 0; node !== undefined && depth < depthMax; depth++) {
    found.push(...(byOwner.get(ownerKey('node', node.id)) ?? []))
    node = node.parentId === null ? undefined : snapshot.nodes.get(node.parentId)
  }
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
