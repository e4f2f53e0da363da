import type { TreeNode } from '@signalbox/sdk/contract'
import type { Snapshot } from './snapshot.ts'

/** What the state says of a node or of a key. */
interface Owned {
  readonly owner: { readonly kind: string; readonly id: string }
}
/** What belongs to whom, by the owner's kind and id. */
export type ByOwner<Item> = ReadonlyMap<string, readonly Item[]>

/** A tree is at most this deep. */
const depthMax = 32
const ownerKey = (kind: string, id: string): string => `${kind}:${id}`

export function byOwner<Item extends Owned>(items: readonly Item[]): ByOwner<Item> {
  return Map.groupBy(items, ({ owner }) => ownerKey(owner.kind, owner.id))
}

/** What a key has, and every node above it, nearest first. */
export function ownedOnPath<Item>(
  owned: ByOwner<Item>,
  key: { readonly id: string; readonly node: string },
  { nodes }: Pick<Snapshot, 'nodes'>,
): Item[] {
  const found = [...(owned.get(ownerKey('key', key.id)) ?? [])]
  let node: TreeNode | undefined = nodes.get(key.node)
  for (let depth = 0; node !== undefined && depth < depthMax; depth++) {
    found.push(...(owned.get(ownerKey('node', node.id)) ?? []))
    node = node.parentId === null ? undefined : nodes.get(node.parentId)
  }
  return found
}
