import type { IncomingHttpHeaders } from 'node:http'
import { Refusal } from '@signalbox/sdk/contract'
import { hashSecret, isWellFormedSecret } from '@signalbox/sdk/node'
import type { Database } from './db/connect.ts'
import type { Caller } from './handler.ts'
import { type Cookies, requireSameOrigin } from './identity/cookies.ts'
import { userOfSession } from './identity/sessions.ts'
import { findGatewayByToken, touchGateway } from './stores/gateways.ts'
import { findTokenByHash, touchToken } from './stores/tokens.ts'

export interface Identity {
  readonly organisationId: string
  readonly caller: Caller
  readonly actor: string
}
export interface AuthenticateTools {
  readonly db: Database
  readonly nowMs: () => number
  readonly cookies: Cookies
}

/** `lastUsed` of a token and `lastSeen` of a gateway are written at most this often. */
const tokenTouchMs = 60_000
const gatewayTouchMs = 10_000
const secretLengthMax = 512

/**
 * Finds who sent `Authorization: Bearer …`, or the cookie of a session. The secret is looked up by its SHA-256 at every
 * request, so a revoked one fails on the next; it has 142 bits of entropy or more, so how long the look-up takes tells
 * nothing.
 * @throws Refusal `key_missing`, `key_invalid`, `key_revoked`; `forbidden` for a session that another site uses.
 */
export async function authenticate(
  { db, nowMs, cookies }: AuthenticateTools,
  request: { readonly method?: string | undefined; readonly headers: IncomingHttpHeaders },
): Promise<Identity> {
  const { authorization } = request.headers
  const cookie = authorization === undefined ? cookies.readSession(request.headers) : undefined
  if (cookie !== undefined && cookie !== '') {
    requireSameOrigin(request.method, request.headers)
    return sessionOf(db, cookie, nowMs())
  }
  const secret = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1]
  if (secret === undefined) {
    throw new Refusal('key_missing', {
      message: 'No token was sent: Authorization: Bearer <token> is needed.',
    })
  }
  if (secret.length > secretLengthMax) throw new Refusal('key_invalid')
  if (secret.startsWith('sb_')) {
    throw new Refusal('key_invalid', { message: 'This is a key for calls; here a token (sbt_…) is needed.' })
  }
  if (/^sb[tg]_/.test(secret) && !isWellFormedSecret(secret)) {
    throw new Refusal('key_invalid', { message: 'The token is not complete or mistyped.' })
  }
  return secret.startsWith('sbg_') ? gatewayOf(db, secret, nowMs()) : tokenOf(db, secret, nowMs())
}

async function sessionOf(db: Database, secret: string, nowMs: number): Promise<Identity> {
  const { user, sessionId } = await userOfSession(db, secret, nowMs)
  const { id, name, grants, organisationId } = user
  return { organisationId, caller: { kind: 'user', id, name, grants, sessionId }, actor: `user ${name}` }
}

async function tokenOf(db: Database, secret: string, nowMs: number): Promise<Identity> {
  const row = await findTokenByHash(db, hashSecret(secret))
  if (row === undefined) throw new Refusal('key_invalid', { message: 'The token is not known here.' })
  if (row.revokedMs !== null) throw new Refusal('key_revoked', { message: 'The token has been revoked.' })
  if (row.expiresMs !== null && row.expiresMs <= nowMs) {
    throw new Refusal('key_revoked', { message: 'The token has expired.' })
  }
  if (row.lastUsedMs === null || row.lastUsedMs < nowMs - tokenTouchMs) await touchToken(db, row.id, nowMs)
  const { organisationId, id, name, role, nodeId, path } = row
  return {
    organisationId,
    caller: { kind: 'token', id, name, grants: [{ role, nodeId, path }] },
    actor: name,
  }
}

async function gatewayOf(db: Database, secret: string, nowMs: number): Promise<Identity> {
  const row = await findGatewayByToken(db, hashSecret(secret))
  if (row === undefined) throw new Refusal('key_invalid', { message: 'The token is not known here.' })
  if (row.revokedMs !== null) throw new Refusal('key_revoked', { message: 'The token has been revoked.' })
  if (row.lastSeenMs === null || row.lastSeenMs < nowMs - gatewayTouchMs)
    await touchGateway(db, row.id, nowMs)
  return {
    organisationId: row.organisationId,
    caller: { kind: 'gateway', id: row.id, name: row.name, environment: row.environment },
    actor: `gateway ${row.name}`,
  }
}
