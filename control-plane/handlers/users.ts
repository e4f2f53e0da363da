import { type BodyOf, Refusal, type userOperations } from '@signalbox/sdk/contract'
import { grantsOf, type Permit } from '../authorize.ts'
import type { Queryable } from '../db/connect.ts'
import { isUniqueViolation } from '../db/errors.ts'
import type { Dependencies } from '../dependencies.ts'
import type { Handlers, RequestContext } from '../handler.ts'
import { type Grant, requireGrantable } from '../identity/grants.ts'
import { requireGoodPassword } from '../identity/passwords.ts'
import type { SignInTools } from '../identity/sign-in-tools.ts'
import { withAudit } from '../stores/audit.ts'
import { endSessions } from '../stores/sessions.ts'
import {
  insertUser,
  listUsers,
  lockUser,
  storeGrants,
  storeUser,
  type UserRow,
  type UserWithGrants,
} from '../stores/users.ts'
import { changedMeanwhile } from './keys.ts'
import { describeGrant } from './tokens.ts'

type UserHandlers = Pick<
  Handlers<typeof userOperations>,
  'listUsers' | 'createUser' | 'updateUser' | 'endUserSessions'
>
type NewGrants = BodyOf<typeof userOperations.createUser>['grants']
type Change = BodyOf<typeof userOperations.updateUser>

function describeUser(user: UserWithGrants) {
  const { id, name, displayName, source, revision, createdMs, lastSignInMs, disabledMs } = user
  const grants = user.grants.map(describeGrant)
  return { id, name, displayName, source, grants, revision, createdMs, lastSignInMs, disabledMs }
}

const shortGrants = (grants: readonly Grant[]): string[] =>
  grants.map(({ role, path }) => (path === '' ? role : `${role}@${path}`))

/** The grants that a request names, where the caller may give them. */
async function resolveGrants(
  transaction: Queryable,
  { caller, permit }: { readonly caller: RequestContext['caller']; readonly permit: Permit },
  wanted: NewGrants,
): Promise<Grant[]> {
  const grants: Grant[] = []
  for (const { role, node } of wanted) {
    const { id, path } = await permit.resolve(node ?? '', transaction)
    requireGrantable(grantsOf(caller), { role, path })
    if (!grants.some((each) => each.role === role && each.nodeId === id))
      grants.push({ role, nodeId: id, path })
  }
  return grants
}

/** Who may everything is changed by their like alone: an admin who sets an owner's password would be owner. */
function requireAbove(context: RequestContext, user: UserWithGrants): void {
  for (const { role, path } of user.grants) requireGrantable(grantsOf(context.caller), { role, path })
}

const noSuchUser = (): Refusal => new Refusal('not_found', { message: 'There is no such user.' })

function createUser(dependencies: Dependencies, { passwords }: SignInTools): UserHandlers['createUser'] {
  return async (context, { body }) => {
    const { organisationId, actor } = context
    const { name, displayName = body.name, password } = body
    requireGoodPassword(password, name)
    const passwordHash = await passwords.hash(password)
    const audit = { organisationId, actor, action: 'createUser' }
    const user = await withAudit(dependencies, audit, async (transaction) => {
      const row: UserRow = {
        ...{ id: dependencies.newId(), organisationId, name, displayName, source: 'local' },
        ...{ issuer: null, subject: null, passwordHash, revision: 1 },
        ...{ createdMs: dependencies.nowMs(), lastSignInMs: null, disabledMs: null },
      }
      const grants = await resolveGrants(transaction, context, body.grants)
      await insertUser(transaction, row)
      await storeGrants(transaction, row, grants)
      const detail = { name, grants: shortGrants(grants) }
      return { result: { ...row, grants }, audit: { object: `user ${row.id}`, detail } }
    }).catch((error: unknown) => {
      if (!isUniqueViolation(error, 'console_user_name')) throw error
      throw new Refusal('already_exists', { message: `There is a user "${name}" already.` })
    })
    return describeUser(user)
  }
}

/** @throws Refusal `conflict` for what the identity provider decides. */
function requireChangeable(user: UserWithGrants, body: Change): void {
  if (user.source === 'local' || (body.grants === undefined && body.password === undefined)) return
  const message = 'Roles and password of this user are those of the identity provider.'
  throw new Refusal('conflict', { message })
}

function updateUser(dependencies: Dependencies, { passwords }: SignInTools): UserHandlers['updateUser'] {
  return async (context, { params, body }) => {
    const { organisationId, actor, caller } = context
    const { password, displayName, disabled } = body
    const passwordHash = password === undefined ? undefined : await passwords.hash(password)
    const nowMs = dependencies.nowMs()
    const audit = { organisationId, actor, action: 'updateUser' }
    const user = await withAudit(dependencies, audit, async (transaction) => {
      const found = await lockUser(transaction, organisationId, params.id)
      if (found === undefined) throw noSuchUser()
      requireAbove(context, found)
      requireChangeable(found, body)
      if (password !== undefined) requireGoodPassword(password, found.name)
      if (found.revision !== body.revision) throw changedMeanwhile(found.revision)
      if (disabled === true && caller.kind === 'user' && caller.id === found.id) {
        throw new Refusal('conflict', { message: 'Nobody disables themselves.' })
      }
      const grants =
        body.grants === undefined ? found.grants : await resolveGrants(transaction, context, body.grants)
      const fields = {
        revision: found.revision + 1,
        ...(displayName !== undefined && { displayName }),
        ...(passwordHash !== undefined && { passwordHash }),
        ...(disabled !== undefined && { disabledMs: disabled ? (found.disabledMs ?? nowMs) : null }),
      }
      await storeUser(transaction, found.id, fields)
      if (body.grants !== undefined) await storeGrants(transaction, found, grants)
      // A new password, or none, is meant to end what the old one began.
      if (password !== undefined || disabled === true) await endSessions(transaction, found.id, { nowMs })
      const detail = {
        name: found.name,
        ...(displayName !== undefined && { displayName }),
        ...(body.grants !== undefined && { grants: shortGrants(grants) }),
        ...(password !== undefined && { password: 'changed' }),
        ...(disabled !== undefined && { disabled }),
      }
      return { result: { ...found, ...fields, grants }, audit: { object: `user ${found.id}`, detail } }
    })
    return describeUser(user)
  }
}

export function createUserHandlers(dependencies: Dependencies, tools: SignInTools): UserHandlers {
  return {
    async listUsers({ organisationId }) {
      const users = await listUsers(dependencies.db, organisationId)
      return { items: users.map(describeUser) }
    },
    createUser: createUser(dependencies, tools),
    updateUser: updateUser(dependencies, tools),
    async endUserSessions({ organisationId, actor }, { params }) {
      const audit = { organisationId, actor, action: 'endUserSessions' }
      const ended = await withAudit(dependencies, audit, async (transaction) => {
        const user = await lockUser(transaction, organisationId, params.id)
        if (user === undefined) throw noSuchUser()
        const count = await endSessions(transaction, user.id, { nowMs: dependencies.nowMs() })
        const detail = { name: user.name, ended: count }
        return { result: count, audit: { object: `user ${user.id}`, detail } }
      })
      return { ended }
    },
  }
}
