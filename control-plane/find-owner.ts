import { Refusal } from '@signalbox/sdk/contract'
import { validate as isUuid } from 'uuid'
import type { Permit } from './authorize.ts'
import type { Queryable } from './db/connect.ts'
import { findLivingKey } from './stores/keys.ts'
import { resolveNode } from './stores/nodes.ts'

/** Who a budget, a limit or a retention rule is of: a node or a key, one of the two. */
export interface Owner {
  readonly nodeId: string | null
  readonly keyId: string | null
  /** Names from the root down to the node; of a key its label alone. */
  readonly path: string
}

/**
 * The owner that a request names.
 * @param from.what for messages. @param from.permit of who asks; absent where a deployment does, or a role on all.
 * @throws Refusal `invalid_request`, `not_found`, or `forbidden` where the permit does not cover it.
 */
export async function findOwner(
  q: Queryable,
  from: {
    readonly organisationId: string
    readonly what: 'budget' | 'limit' | 'retention rule'
    readonly permit: Pick<Permit, 'resolve' | 'require'> | undefined
  },
  { team, key }: { readonly team?: string | undefined; readonly key?: string | undefined },
): Promise<Owner> {
  const { organisationId, what, permit } = from
  if (team !== undefined && key === undefined) {
    const found = permit?.resolve(team, q) ?? resolveNode(q, organisationId, team)
    const { id, path } = await found
    return { nodeId: id, keyId: null, path }
  }
  if (key === undefined || team !== undefined) {
    throw new Refusal('invalid_request', { message: `A ${what} is of a team or of a key: name one of them.` })
  }
  const found = isUuid(key) ? await findLivingKey(q, organisationId, key) : undefined
  if (found === undefined) {
    throw new Refusal('not_found', { message: `There is no key "${key}" that works.`, param: 'key' })
  }
  permit?.require(found.path)
  return { nodeId: null, keyId: found.id, path: found.name }
}
