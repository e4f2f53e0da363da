import { type OperationDefinition, Refusal, type Role, roles, rolesOf } from '@signalbox/sdk/contract'

/** A role on a node and on all below it. */
export interface Grant {
  readonly role: Role
  readonly nodeId: string
  /** Path of the node: names below the root, joined by `/`; empty for the root. */
  readonly path: string
}
/** Paths of nodes; each stands for the node and all below it. `['']` is the whole tree, `[]` nothing. */
export type Reach = readonly string[]

/** Whether one of the paths is the node's own or one above it. */
export function isWithin(path: string, reach: Reach): boolean {
  return reach.some((each) => each === '' || path === each || path.startsWith(`${each}/`))
}

/** Where grants allow an operation. */
export function reachOf(grants: readonly Grant[], operation: Pick<OperationDefinition, 'role'>): Reach {
  const allowed = rolesOf(operation)
  return grants.filter(({ role }) => allowed.includes(role)).map(({ path }) => path)
}

/** Where somebody has any role at all: what lies elsewhere does not exist for them. */
export function wholeReach(grants: readonly Grant[]): Reach {
  return grants.map(({ path }) => path)
}

/** The role that stands first among the roles, for showing. */
export function strongestRole(grants: readonly Grant[]): Role {
  return roles.find((role) => grants.some((grant) => grant.role === role)) ?? 'viewer'
}

/**
 * Nobody gives more than they hold: an owner gives every role, an admin all but `owner`, each on nodes that their own
 * grant covers.
 * @throws Refusal `forbidden`.
 */
export function requireGrantable(
  own: readonly Grant[],
  given: { readonly role: Role; readonly path: string },
): void {
  const givers: readonly Role[] = given.role === 'owner' ? ['owner'] : ['owner', 'admin']
  const reach = own.filter(({ role }) => givers.includes(role)).map(({ path }) => path)
  if (isWithin(given.path, reach)) return
  const where = given.path === '' ? 'the organisation' : `"${given.path}"`
  throw new Refusal('forbidden', {
    message: `The role ${given.role} on ${where} is given by ${givers.join(' or ')} of it alone.`,
    param: 'role',
  })
}
