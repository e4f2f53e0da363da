import type { Call } from './call.ts'
import type { GatewayParts } from './parts.ts'
import { isBelow, listedIds, onlyOwnItems } from './stored-things.ts'
import type { Target } from './targets.ts'
import type { Trail } from './trail.ts'
import { parseBody } from './upstream/read-whole.ts'

/** What the provider keeps of the answer belongs to the caller's node from now on. */
export function noteStored(
  ids: readonly string[],
  { connection }: Target,
  { trail, parts }: { readonly trail: Trail; readonly parts: GatewayParts },
): void {
  if (trail.nodeId === undefined) return
  const owner = { nodeId: trail.nodeId, connection: connection.name }
  for (const id of ids) parts.storedIds.note(id, owner)
}

/** What was deleted is nobody's any more. */
export function noteForgotten({ native }: Call, { storedIds }: GatewayParts): void {
  if (native?.forgets !== undefined) storedIds.forget(native.forgets)
}

/** A list of what is kept, as each caller sees it: what is his; what is no such list is as it came. */
export async function ownPartOf(
  body: Buffer,
  way: { readonly trail: Trail; readonly parts: GatewayParts },
): Promise<Buffer> {
  const { nodeId, snapshot } = way.trail
  if (nodeId === undefined || snapshot === undefined) return body
  const { storedIds } = way.parts
  const json = parseBody(body)
  await storedIds.learn(listedIds(json))
  const own = onlyOwnItems(json, (id) => {
    const owner = storedIds.find(id)
    return owner !== undefined && isBelow(nodeId, owner.nodeId, snapshot)
  })
  return own === undefined ? body : Buffer.from(JSON.stringify(own))
}
