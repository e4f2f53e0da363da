import { Refusal } from '@signalbox/sdk/contract'
import type { Transaction } from '../db/connect.ts'
import { listOwnedWorkspaces } from '../stores/deployments.ts'
import { findParent, loadHeight, loadHindrances, type NodeRow } from '../stores/nodes.ts'
import { isWithin } from './grants.ts'

/** Teams below teams: more levels than any organisation has, few enough for every walk up the tree. */
export const depthMax = 16

/**
 * Whether a node may get another name or place, or be deleted.
 * @throws Refusal `conflict` for the root, for what a workspace declares, and where a workspace names its path.
 */
export async function requireMovable(transaction: Transaction, node: NodeRow): Promise<void> {
  if (node.parentId === null) {
    throw new Refusal('conflict', { message: 'The organisation itself stays where it is.' })
  }
  if (node.managedBy === 'workspace') {
    const message = `"${node.path}" is declared under teams: in the signalbox.yaml of a workspace; change it there.`
    throw new Refusal('conflict', { message })
  }
  const workspaces = await listOwnedWorkspaces(transaction, node.organisationId)
  const owned = workspaces.find((each) => each.node !== '' && isWithin(each.node, [node.path]))
  if (owned !== undefined) {
    const message = `The workspace "${owned.workspace}" is deployed for "${owned.node}": deploy it for another node first.`
    throw new Refusal('conflict', { message })
  }
}

/**
 * Where a node stands after a change of its name or parent.
 * @throws Refusal `invalid_request` for a cycle, a project as parent, a tree too deep.
 */
export async function placeAfter(
  transaction: Transaction,
  before: NodeRow,
  change: { readonly name: string; readonly parent: NodeRow | undefined },
): Promise<Pick<NodeRow, 'name' | 'parentId' | 'path' | 'revision'>> {
  const parent = change.parent ?? (await findParent(transaction, before))
  const refuse = (message: string): Refusal =>
    new Refusal('invalid_request', { message, param: change.parent === undefined ? 'name' : 'parent' })
  if (parent === undefined) throw new Error(`the parent of ${before.id} is not there`)
  if (isWithin(parent.path, [before.path])) throw refuse(`"${before.path}" cannot stand below itself.`)
  if (parent.kind === 'project') throw refuse('Nothing stands below a project.')
  const path = parent.path === '' ? change.name : `${parent.path}/${change.name}`
  if (path.split('/').length + (await loadHeight(transaction, before)) > depthMax) {
    throw refuse(`The tree has at most ${depthMax} levels.`)
  }
  return { name: change.name, parentId: parent.id, path, revision: before.revision + 1 }
}

const count = (number: number, one: string, many: string): string[] =>
  number === 0 ? [] : [number === 1 ? `one ${one}` : `${number} ${many}`]

/** @throws Refusal `conflict` that says all that stands in the way. */
export async function requireDeletable(transaction: Transaction, node: NodeRow): Promise<void> {
  const found = await loadHindrances(transaction, node)
  const reasons = [
    ...count(found.children, 'node below it', 'nodes below it'),
    ...count(found.keys, 'key that works', 'keys that work'),
    ...count(found.tokens, 'token that holds on it', 'tokens that hold on it'),
    ...count(found.users, 'user with a role on it', 'users with a role on it'),
    ...(found.calls > 0 ? ['calls that were made under it, which its spend and records belong to'] : []),
  ]
  if (reasons.length === 0) return
  const message = `"${node.path}" cannot be deleted: it has ${reasons.join(', ')}.`
  throw new Refusal('conflict', { message })
}
