import { type OperationDefinition, Refusal, rolesOf } from '@signalbox/sdk/contract'
import type { Database, Queryable } from './db/connect.ts'
import { budget, rateLimit } from './db/schema.ts'
import type { Caller } from './handler.ts'
import { type Grant, isWithin, type Reach, reachOf, wholeReach } from './identity/grants.ts'
import type { RequestInput } from './request-input.ts'
import { findKeyPath } from './stores/keys.ts'
import { type NodeRow, resolveNode } from './stores/nodes.ts'
import { findOwnedPath } from './stores/owned-path.ts'
import { findRecordPath } from './stores/records.ts'
import { findTokenPath } from './stores/tokens.ts'

/** What a caller may do with the operation that is being served. */
export interface Permit {
  /** What the operation may see or change. */
  readonly reach: Reach
  /** The node that the operation's scope names. Only there where the scope is `{ node }`. */
  readonly node: NodeRow | undefined
  /**
   * The node of this id, name or path, where the caller may use the operation on it.
   * @throws Refusal `not_found` where they have no role there at all, else `forbidden`.
   */
  readonly resolve: (reference: string, transaction?: Queryable) => Promise<NodeRow>
  /**
   * Whether the caller may use an operation, this one where none is named, on the node of a path.
   * @throws Refusal `forbidden`.
   */
  readonly require: (path: string, operation?: OperationDefinition) => void
}
export type Authorize = (
  operation: OperationDefinition,
  identity: { readonly organisationId: string; readonly caller: Caller },
  input: RequestInput,
) => Promise<Permit>

export function grantsOf(caller: Caller): readonly Grant[] {
  return caller.kind === 'token' || caller.kind === 'user' ? caller.grants : []
}

/**
 * Whether a caller may use an operation on any node at all; asked before the request is read. What no rule names is
 * refused.
 */
export function mayCall(operation: Pick<OperationDefinition, 'role' | 'scope'>, caller: Caller): boolean {
  const { role, scope = 'organisation' } = operation
  if (role === 'public') return true
  if (role === 'gateway') return caller.kind === 'gateway'
  const reach = reachOf(grantsOf(caller), operation)
  return scope === 'organisation' ? isWithin('', reach) : reach.length > 0
}

/** Says what is missing. */
export function refuseCaller(operation: OperationDefinition): Refusal {
  const { role, scope = 'organisation' } = operation
  if (role === 'gateway') return new Refusal('forbidden', { message: 'This needs the token of a gateway.' })
  const where = scope === 'organisation' ? ' on the organisation' : ''
  return new Refusal('forbidden', {
    message: `This needs a token or user of role ${rolesOf(operation).join(', ')}${where}.`,
  })
}

function memberOf({ params, query, body }: RequestInput, name: string): string | undefined {
  for (const part of [params, query, body]) {
    if (typeof part !== 'object' || part === null) continue
    const value: unknown = Object.entries(part).find(([key]) => key === name)?.[1]
    if (typeof value === 'string') return value
  }
  return undefined
}

const findOwned =
  (table: Parameters<typeof findOwnedPath>[1]) => (q: Queryable, organisationId: string, id: string) =>
    findOwnedPath(q, table, { organisationId, id })

/** Paths of objects other than nodes, and what to say where there is none. */
const finders = {
  key: { find: findKeyPath, name: 'key' },
  token: { find: findTokenPath, name: 'token' },
  record: { find: findRecordPath, name: 'record' },
  budget: { find: findOwned(budget), name: 'budget' },
  limit: { find: findOwned(rateLimit), name: 'limit' },
} as const

/**
 * Checks the object that a request names against the caller's grants, as the operation's scope says. An object where
 * the caller has no role is answered like one that never was.
 */
export function createAuthorize({ db }: { readonly db: Database }): Authorize {
  return async (operation, { organisationId, caller }, input) => {
    const grants = grantsOf(caller)
    const reach = reachOf(grants, operation)
    const visible = wholeReach(grants)
    const require: Permit['require'] = (path, other = operation) => {
      if (!isWithin(path, reachOf(grants, other))) throw refuseOn(path, other)
    }
    const resolve: Permit['resolve'] = async (reference, transaction = db) => {
      if (reference === '') require('')
      const node = await resolveNode(transaction, organisationId, reference, visible)
      require(node.path)
      return node
    }
    const permit = { reach, resolve, require }
    const { scope } = operation
    if (typeof scope !== 'object') return { ...permit, node: undefined }
    const ofKey = 'node' in scope && scope.key !== undefined && memberOf(input, scope.key) !== undefined
    if ('node' in scope && !ofKey) {
      return { ...permit, node: await resolve(memberOf(input, scope.node) ?? '') }
    }
    const [kind, member] = Object.entries(scope).at(-1) as [keyof typeof finders, string]
    const { find, name } = finders[kind]
    const path = await find(db, organisationId, memberOf(input, member) ?? '')
    if (path === undefined || !isWithin(path, visible)) {
      throw new Refusal('not_found', { message: `There is no such ${name}.` })
    }
    require(path)
    return { ...permit, node: undefined }
  }
}

function refuseOn(path: string, operation: OperationDefinition): Refusal {
  const where = path === '' ? 'the organisation' : `"${path}"`
  return new Refusal('forbidden', {
    message: `This needs the role ${rolesOf(operation).join(', ')} on ${where}.`,
  })
}
