import { type accessOperations, Refusal } from '@signalbox/sdk/contract'
import { createSecret, hashSecret } from '@signalbox/sdk/node'
import type { Dependencies } from '../dependencies.ts'
import type { Handlers } from '../handler.ts'
import { withAudit } from '../stores/audit.ts'
import { findGatewayUrl } from '../stores/gateways.ts'
import { findOrganisation } from '../stores/organisation.ts'
import { insertToken, listTokens, lockToken, storeTokenRevocation, type TokenRow } from '../stores/tokens.ts'

type TokenHandlers = Pick<
  Handlers<typeof accessOperations>,
  'getMe' | 'listTokens' | 'createToken' | 'revokeToken'
>

function describeToken({ id, name, role, createdMs, lastUsedMs, revokedMs }: TokenRow) {
  return { id, name, role, createdMs, lastUsedMs, revokedMs }
}

function getMe(dependencies: Dependencies): TokenHandlers['getMe'] {
  const { db, environment } = dependencies
  return async ({ organisationId, caller }) => {
    // The operation's role lets nobody else in.
    if (caller.kind !== 'token') throw new Refusal('forbidden')
    const organisation = await findOrganisation(db, organisationId)
    if (organisation === undefined) throw new Refusal('not_found')
    const gatewayUrl = await findGatewayUrl(db, organisationId, environment)
    return {
      tokenId: caller.id,
      name: caller.name,
      role: caller.role,
      organisation: { id: organisation.id, name: organisation.name },
      environment,
      ...(gatewayUrl === undefined ? {} : { gatewayUrl }),
    }
  }
}

function createToken(dependencies: Dependencies): TokenHandlers['createToken'] {
  return async ({ organisationId, actor }, { body }) => {
    const secret = createSecret('token')
    const row: TokenRow = {
      id: dependencies.newId(),
      organisationId,
      name: body.name,
      role: body.role,
      kind: 'token',
      hash: hashSecret(secret),
      createdMs: dependencies.nowMs(),
      lastUsedMs: null,
      revokedMs: null,
    }
    await withAudit(dependencies, { organisationId, actor, action: 'createToken' }, async (transaction) => {
      await insertToken(transaction, row)
      const detail = { name: row.name, role: row.role }
      return { result: undefined, audit: { object: `token ${row.id}`, detail } }
    })
    return { ...describeToken(row), token: secret }
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
    async listTokens({ organisationId }) {
      const rows = await listTokens(dependencies.db, organisationId)
      return { items: rows.map(describeToken) }
    },
    createToken: createToken(dependencies),
    revokeToken: revokeToken(dependencies),
  }
}
