import { Refusal } from '@signalbox/sdk/contract'
import type { Call } from './call.ts'
import type { Snapshot } from './snapshot.ts'
import type { Caller } from './steps/authenticate.ts'
import type { Selected } from './steps/select.ts'
import type { StoredIds, StoredOwner } from './stored-ids.ts'
import { speaking } from './targets.ts'

/** A tree is at most this deep. */
const depthMax = 64

/** Whether a node is an owner's own, or below it. */
function isBelow(nodeId: string, ownerId: string, { nodes }: Snapshot): boolean {
  let at: string | null | undefined = nodeId
  for (let depth = 0; depth < depthMax && typeof at === 'string'; depth++) {
    if (at === ownerId) return true
    at = nodes.get(at)?.parentId
  }
  return false
}

/**
 * Who owns a stored thing that a caller names.
 * @throws Refusal `not_found`, in the same words for another node's thing as for one that never existed.
 */
export function findStored(
  id: string,
  path: string,
  { caller, snapshot, storedIds }: { caller: Caller; snapshot: Snapshot; storedIds: StoredIds },
): StoredOwner {
  const owner = storedIds.find(id)
  if (owner !== undefined && isBelow(caller.key.node, owner.nodeId, snapshot)) return owner
  throw new Refusal('not_found', {
    message: `There is nothing stored under the id in \`${path}\`.`,
    param: path,
  })
}

/**
 * The owner of all that a call goes on from; undefined where it brings everything itself.
 * @throws Refusal `not_found`; `invalid_request` for things of different connections, which nobody has together.
 */
export function ownerOf(
  call: Call,
  caller: Caller,
  snapshot: Snapshot,
  storedIds: StoredIds,
): StoredOwner | undefined {
  let owner: StoredOwner | undefined
  for (const { id, path } of call.stored ?? []) {
    const found = findStored(id, path, { caller, snapshot, storedIds })
    if (owner !== undefined && owner.connection !== found.connection) {
      const message = `\`${path}\` is kept by another provider than what the call also goes on from.`
      throw new Refusal('invalid_request', { message, param: path })
    }
    owner ??= found
  }
  return owner
}

/**
 * A call that goes on from something stored can only be served where that is kept, in the caller's own format; the
 * other targets of the selection are left out.
 * @throws Refusal `unsupported_feature` where none is left.
 */
export function onlyOwned(selected: Selected, owner: StoredOwner | undefined, call: Call): Selected {
  const [first] = call.stored ?? []
  if (owner === undefined || first === undefined) return selected
  const order = selected.order.filter(
    ({ target }) =>
      target.connection.name === owner.connection &&
      speaking(target, call.format).provider.format === call.format,
  )
  if (order.length > 0 || selected.order.length === 0) return { ...selected, order }
  throw new Refusal('unsupported_feature', {
    message:
      `\`${first.path}\` names something that the connection "${owner.connection}" keeps, and the call would be ` +
      'served by another. Send the conversation itself instead.',
    param: first.path,
  })
}
