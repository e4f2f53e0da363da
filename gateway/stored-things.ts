import { Refusal } from '@signalbox/sdk/contract'
import type { Call } from './call.ts'
import type { Snapshot } from './snapshot.ts'
import type { Caller } from './steps/authenticate.ts'
import type { Selected } from './steps/select.ts'
import type { StoredIds, StoredOwner } from './stored-ids.ts'
import { serving } from './targets.ts'
import { isStoredName } from './wire/stored-names.ts'

/** A tree is at most this deep. */
const depthMax = 64

/** Whether a node is an owner's own, or below it. */
export function isBelow(nodeId: string, ownerId: string, { nodes }: Snapshot): boolean {
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
 * The model of a call as it is looked up: with the connection that keeps what the call is about, where it is about
 * nothing else.
 * @throws Refusal `not_found` for a connection that nobody declared, or another one than where the thing is kept.
 */
export function modelAt({ model, native }: Call, owner: StoredOwner | undefined, snapshot: Snapshot): string {
  if (native === undefined) return model
  const { connection } = native
  if (connection !== undefined) {
    const isElsewhere = owner !== undefined && owner.connection !== connection
    if (!isElsewhere && snapshot.connections.has(connection)) return model
    throw new Refusal('not_found', {
      message: `There is nothing of the kind at a connection "${connection}".`,
    })
  }
  return owner === undefined ? model : `${owner.connection}/${model.slice(model.indexOf('/') + 1)}`
}

/**
 * A list without what belongs to others, or to nobody that is known; undefined where it is no list of stored things.
 * Its marks for paging name only what remains of it.
 */
export function onlyOwnItems(json: unknown, isOwn: (id: string) => boolean): unknown {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return undefined
  const found = Object.entries(json).find(
    ([, value]) => Array.isArray(value) && value.some((item) => storedNameOf(item) !== undefined),
  )
  if (found === undefined) return undefined
  const [member, items] = found as [string, unknown[]]
  const own = items.filter((item) => isOwn(storedNameOf(item) ?? ''))
  const marks = {
    ...('first_id' in json && { first_id: storedNameOf(own[0]) ?? null }),
    ...('last_id' in json && { last_id: storedNameOf(own.at(-1)) ?? null }),
  }
  return { ...json, [member]: own, ...marks }
}

/** The ids of all that a list of stored things names. */
export function listedIds(json: unknown): string[] {
  if (typeof json !== 'object' || json === null) return []
  return Object.values(json).flatMap((value) =>
    Array.isArray(value) ? value.flatMap((item) => storedNameOf(item) ?? []) : [],
  )
}

function storedNameOf(item: unknown): string | undefined {
  if (typeof item !== 'object' || item === null) return undefined
  const { id, name } = item as { id?: unknown; name?: unknown }
  if (isStoredName(id)) return id
  return isStoredName(name) ? name : undefined
}

/**
 * A call that goes on from something stored can only be served where that is kept, in the caller's own format; the
 * other targets of the selection are left out.
 * @throws Refusal `unsupported_feature` where none is left.
 */
export function onlyOwned(selected: Selected, owner: StoredOwner | undefined, call: Call): Selected {
  const [first] = call.stored ?? []
  const connection = owner?.connection ?? call.native?.connection
  if (connection === undefined) return selected
  const order = selected.order.filter(
    ({ target }) =>
      target.connection.name === connection && serving(target, call).provider.format === call.format,
  )
  if (order.length > 0 || selected.order.length === 0) return { ...selected, order }
  if (first === undefined || owner === undefined) {
    const message = `The call is for the connection "${connection}", and would be served by another.`
    throw new Refusal('unsupported_feature', { message })
  }
  throw new Refusal('unsupported_feature', {
    message:
      `\`${first.path}\` names something that the connection "${connection}" keeps, and the call would be ` +
      'served by another. Send the conversation itself instead.',
    param: first.path,
  })
}
