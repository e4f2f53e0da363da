import { type StateDocument, TreeBlob, type TreeNode } from '@signalbox/sdk/contract'
import { describeViolations, fits, violationsOf } from '@signalbox/sdk/node'
import { type BlobSource, collectBlob } from './collect-blobs.ts'
import { type KeyIndex, loadKeyIndex } from './key-index.ts'
import { Rejection } from './rejection.ts'
import type { Verified } from './verify-document.ts'

/** A state with all that it names, ready for calls. */
export interface ActiveState extends Verified<StateDocument> {
  readonly nodes: ReadonlyMap<string, TreeNode>
  readonly keys: KeyIndex
  readonly revoked: ReadonlySet<string>
}

function parseTree(bytes: Buffer): ReadonlyMap<string, TreeNode> {
  let value: unknown
  try {
    value = JSON.parse(bytes.toString('utf8'))
  } catch (cause) {
    throw new Rejection('the tree is not JSON', { cause })
  }
  if (!fits(TreeBlob, value)) {
    throw new Rejection(`the tree is not valid: ${describeViolations(violationsOf(TreeBlob, value))}`)
  }
  const nodes = new Map<string, TreeNode>()
  for (const node of value.nodes) {
    if (node.parentId !== null && !nodes.has(node.parentId)) {
      throw new Rejection(`the node ${node.id} of the tree stands before its parent`)
    }
    nodes.set(node.id, node)
  }
  return nodes
}

/**
 * Loads what a verified state names: the tree and the key shards that `previous` lacks.
 * @throws Rejection where a blob is not what the state says; Error where one cannot be had.
 */
export async function activateState(
  verified: Verified<StateDocument>,
  source: BlobSource,
  previous: ActiveState | undefined,
): Promise<ActiveState> {
  const { document } = verified
  const nodes =
    previous?.document.tree === document.tree
      ? previous.nodes
      : parseTree(await collectBlob(document.tree, source))
  const keys = await loadKeyIndex(document.keys, source, previous?.keys)
  return { ...verified, nodes, keys, revoked: new Set(document.revoked) }
}

/** Digests of all blobs that a state needs. */
export function blobsOfState(document: StateDocument): string[] {
  return [document.tree, ...document.keys.shards.map((shard) => shard.digest)]
}
