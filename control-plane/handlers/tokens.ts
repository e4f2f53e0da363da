import { Refusal, type tokenOperations } from '@signalbox/sdk/contract'
import { createSecret, hashSecret } from '@signalbox/sdk/node'
import { grantsOf } from '../authorize.ts'
import type { Dependencies } from '../dependencies.ts'
import type { Handlers } from '../handler.ts'
import { type Grant, requireGrantable, strongestRole } from '../identity/grants.ts'
import { withAudit } from '../stores/audit.ts'
import { findGatewayUrl } from '../stores/gateways.ts'
import { findOrganisation } from '../stores/organisation.ts'
import {
  insertToken,
  listTokens,
  lockToken,
  storeTokenRevocation,
  type TokenOfNode,
  type TokenRow,
} from '../stores/tokens.ts'
import { findUser } from '../stores/users.ts'

type TokenHandlers = Handlers<typeof tokenOperations>

/** A grant as replies have it. */
export function describeGrant({ role, nodeId, path }: Grant) {
  return { role, node: { id: nodeId, path } }
}

function describeToken(row: TokenOfNode) {
  const { id, name, createdMs, expiresMs, lastUsedMs, revokedMs } = row
  return { id, name, ...describeGrant(row), createdMs, expiresMs, lastUsedMs, revokedMs }
}

function getMe(dependencies: Dependencies): TokenHandlers['getMe'] {
  const { db, environment } = dependencies
  return async ({ organisationId, caller }) => {
    // The operation's role lets nobody else in.
    if (caller.kind !== 'token' && caller.kind !== 'user') throw new Refusal('forbidden')
    const organisation = await findOrganisation(db, organisationId)
    if (organisation === undefined) throw new Refusal('not_found')
    const gatewayUrl = await findGatewayUrl(db, organisationId, environment)
    const user = caller.kind === 'user' ? await findUser(db, organisationId, { id: caller.id }) : undefined
    return {
      kind: caller.kind,
      tokenId: caller.kind === 'token' ? caller.id : null,
      userId: caller.kind === 'user' ? caller.id : null,
      name: caller.name,
      role: strongestRole(caller.grants),
      grants: caller.grants.map(describeGrant),
      passwordChangeable: user?.passwordHash != null,
      organisation: { id: organisation.id, name: organisation.name },
      environment,
      ...(gatewayUrl === undefined ? {} : { gatewayUrl }),
    }
  }
}

function createToken(dependencies: Dependencies): TokenHandlers['createToken'] {
  return async ({ organisationId, actor, caller, permit }, { body }) => {
    const node = permit.node ?? (await permit.resolve(''))
    const { name, role, expiresMs = null } = body
    requireGrantable(grantsOf(caller), { role, path: node.path })
    const createdMs = dependencies.nowMs()
    if (expiresMs !== null && expiresMs <= createdMs) {
      throw new Refusal('invalid_request', { message: 'expiresMs is in the past.', param: 'expiresMs' })
    }
    const secret = createSecret('token')
    const { path, id: nodeId } = node
    const row: TokenRow = {
      ...{ id: dependencies.newId(), organisationId, name, role, nodeId, kind: 'token' as const },
      ...{ hash: hashSecret(secret), createdMs, expiresMs, lastUsedMs: null, revokedMs: null, ci: null },
    }
    await withAudit(dependencies, { organisationId, actor, action: 'createToken' }, async (transaction) => {
      await insertToken(transaction, row)
      const detail = { name, role, node: path, expiresMs }
      return { result: undefined, audit: { object: `token ${row.id}`, detail } }
    })
    return { ...describeToken({ ...row, path }), token: secret }
  }
}

function revokeToken(dependencies: Dependencies): TokenHandlers['revokeToken'] {
  return async ({ organisationId, actor }, { params }) => {
    const context = { organisationId, actor, action: 'revokeToken' }
    const row = await withAudit(dependencies, context, async (transaction) => {
      const found = await lockToken(transaction, organisationId, params.id)
      if (found === undefined) throw new Refusal('not_found', { message: 'There is no such token.' })
      if (found.kind === 'root') {
        const message = 'The root token follows SIGNALBOX_ROOT_KEY: set another one to revoke it.'
        throw new Refusal('conflict', { message })
      }
      if (found.revokedMs !== null) return { result: found, audit: null }
      const revokedMs = dependencies.nowMs()
      await storeTokenRevocation(transaction, found.id, revokedMs)
      const audit = { object: `token ${found.id}`, detail: { name: found.name } }
      return { result: { ...found, revokedMs }, audit }
    })
    return describeToken(row)
  }
}

export function createTokenHandlers(dependencies: Dependencies): TokenHandlers {
  return {
    getMe: getMe(dependencies),
    async listTokens({ organisationId, permit }) {
      const rows = await listTokens(dependencies.db, organisationId, permit.reach)
      return { items: rows.map(describeToken) }
    },
    createToken: createToken(dependencies),
    revokeToken: revokeToken(dependencies),
  }
}
