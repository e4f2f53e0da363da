import { Refusal } from '@signalbox/sdk/contract'
import { hashSecret, isWellFormedSecret } from '@signalbox/sdk/node'
import type { Database } from './db/connect.ts'
import type { Caller } from './handler.ts'
import { findGatewayByToken, touchGateway } from './stores/gateways.ts'
import { findTokenByHash, touchToken } from './stores/tokens.ts'

export interface Identity {
  readonly organisationId: string
  readonly caller: Caller
  readonly actor: string
}

/** `lastUsed` of a token and `lastSeen` of a gateway are written at most this often. */
const tokenTouchMs = 60_000
const gatewayTouchMs = 10_000
const secretLengthMax = 512

/**
 * Finds who sent `Authorization: Bearer …`. The secret is looked up by its SHA-256 at every request, so a revoked one
 * fails on the next; it has 142 bits of entropy, so how long the look-up takes tells nothing.
 * @throws Refusal `key_missing`, `key_invalid`, `key_revoked`.
 */
export async function authenticate(
  { db, nowMs }: { readonly db: Database; readonly nowMs: () => number },
  authorization: string | undefined,
): Promise<Identity> {
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

async function tokenOf(db: Database, secret: string, nowMs: number): Promise<Identity> {
  const row = await findTokenByHash(db, hashSecret(secret))
  if (row === undefined) throw new Refusal('key_invalid', { message: 'The token is not known here.' })
  if (row.revokedMs !== null) throw new Refusal('key_revoked', { message: 'The token has been revoked.' })
  if (row.lastUsedMs === null || row.lastUsedMs < nowMs - tokenTouchMs) await touchToken(db, row.id, nowMs)
  return {
    organisationId: row.organisationId,
    caller: { kind: 'token', id: row.id, name: row.name, role: row.role },
    actor: row.name,
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
