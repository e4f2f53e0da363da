import { randomBytes } from 'node:crypto'
import { Refusal } from '@signalbox/sdk/contract'
import { hashSecret } from '@signalbox/sdk/node'
import type { Database, Queryable } from '../db/connect.ts'
import { findSession, insertSession, type SessionRow, touchSession } from '../stores/sessions.ts'
import { findUser, type UserWithGrants } from '../stores/users.ts'

/** A session ends after this, however much it is used. */
export const sessionMsMax = 12 * 3_600_000
/** A session ends when it was not used for so long. */
export const sessionIdleMsMax = 2 * 3_600_000
/** `lastUsed` is written at most this often. */
const touchMs = 60_000
/** Sessions that are over are kept for so long, for those who look what happened. */
const keptMs = 30 * 86_400_000
const secretBytes = 32
const textLengthMax = 256

/** Begins a session; gives the secret that its cookie holds. */
export async function beginSession(
  db: Queryable,
  user: { readonly organisationId: string; readonly id: string },
  from: { readonly id: string; readonly nowMs: number; readonly userAgent: string; readonly address: string },
): Promise<{ secret: string; row: SessionRow }> {
  const secret = randomBytes(secretBytes).toString('base64url')
  const row: SessionRow = {
    id: from.id,
    organisationId: user.organisationId,
    userId: user.id,
    hash: hashSecret(secret),
    userAgent: from.userAgent.slice(0, textLengthMax).replaceAll('\0', '').toWellFormed(),
    address: from.address,
    createdMs: from.nowMs,
    lastUsedMs: from.nowMs,
    expiresMs: from.nowMs + sessionMsMax,
    endedMs: null,
  }
  await insertSession(db, row, from.nowMs - keptMs)
  return { secret, row }
}

/** Whose session a secret is. @throws Refusal `key_invalid`, `key_revoked`. */
export async function userOfSession(
  db: Database,
  secret: string,
  nowMs: number,
): Promise<{ user: UserWithGrants; sessionId: string }> {
  const session = secret.length > 128 ? undefined : await findSession(db, hashSecret(secret))
  if (session === undefined)
    throw new Refusal('key_invalid', { message: 'The session is not known. Sign in.' })
  const over = session.expiresMs <= nowMs || session.lastUsedMs <= nowMs - sessionIdleMsMax
  if (session.endedMs !== null || over || session.disabledMs !== null) {
    throw new Refusal('key_revoked', { message: 'The session has ended. Sign in again.' })
  }
  const user = await findUser(db, session.organisationId, { id: session.userId })
  if (user === undefined) throw new Refusal('key_invalid')
  if (session.lastUsedMs < nowMs - touchMs) await touchSession(db, session.id, nowMs)
  return { user, sessionId: session.id }
}
