import { sign } from 'node:crypto'
import { Refusal } from '@signalbox/sdk/contract'
import type { TokenRequest } from '../provider.ts'
import { asObject, asString, type JsonObject } from './json-value.ts'

/** What a service account may ask for. */
const scope = 'https://www.googleapis.com/auth/cloud-platform'
const grantType = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const tokenUriDefault = 'https://oauth2.googleapis.com/token'
/** The longest that Google takes. */
const lifetimeS = 3600

/** The key file of a service account; undefined where the credential is something else. */
export function readServiceAccount(credential: string | undefined): JsonObject | undefined {
  if (credential === undefined || !credential.trimStart().startsWith('{')) return undefined
  try {
    return asObject(JSON.parse(credential))
  } catch {
    return undefined
  }
}

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/**
 * Asks for an access token in the name of a service account: a signed claim for a bearer token. Source: Google's
 * page of OAuth 2.0 for server to server applications (RFC 7523). Undefined where the credential is no key file.
 * @throws Refusal `connection_unavailable` where it is one that cannot be used.
 */
export function serviceAccountRequest(credential: string, nowMs: number): TokenRequest | undefined {
  const account = readServiceAccount(credential)
  if (account === undefined) return undefined
  const email = asString(account.client_email)
  const key = asString(account.private_key)
  const tokenUri = asString(account.token_uri) ?? tokenUriDefault
  if (email === undefined || key === undefined || !URL.canParse(tokenUri)) {
    throw new Refusal('connection_unavailable', {
      detail: 'the service account has no e-mail, key or token URI',
    })
  }
  const nowS = Math.floor(nowMs / 1000)
  const header = { alg: 'RS256', typ: 'JWT', kid: asString(account.private_key_id) }
  const claims = { iss: email, scope, aud: tokenUri, iat: nowS, exp: nowS + lifetimeS }
  const signed = `${part(header)}.${part(claims)}`
  const { origin, pathname, search } = new URL(tokenUri)
  const assertion = `${signed}.${signature(signed, key)}`
  const body = new URLSearchParams({ grant_type: grantType, assertion }).toString()
  return {
    baseUrl: origin,
    path: pathname + search,
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    body: Buffer.from(body),
  }
}

/** The parser's own error could say something of the key. */
function signature(text: string, key: string): string {
  try {
    return sign('RSA-SHA256', Buffer.from(text), key).toString('base64url')
  } catch {
    throw new Refusal('connection_unavailable', { detail: 'the key of the service account cannot sign' })
  }
}
