import { apiOperations, type OperationDefinition } from '@signalbox/sdk/contract'
import { createSecret } from '@signalbox/sdk/node'
import { afterAll, expect, test } from 'vitest'
import { createTestDatabase } from '../support/database.ts'
import { startAccessPlane } from './access-plane.ts'
import { errorOf } from './served-app.ts'

const plane = await startAccessPlane(await createTestDatabase())
afterAll(() => plane.stop())
const { client } = plane
const member = await client.createToken({ name: 'member', role: 'member' })
const admin = await client.createToken({ name: 'admin', role: 'admin' })
const gateway = await client.enrollGateway({ environment: 'development' })
const tokens: Readonly<Record<string, string | undefined>> = {
  nobody: undefined,
  gateway: gateway.token,
  member: member.token,
  admin: admin.token,
  root: plane.rootToken,
}
/** Who gets in, by role of the operation. */
const table: Readonly<Record<string, readonly string[]>> = {
  public: ['nobody', 'gateway', 'member', 'admin', 'root'],
  gateway: ['gateway'],
  member: ['member', 'admin', 'root'],
  admin: ['admin', 'root'],
}
const definitions: readonly OperationDefinition[] = Object.values(apiOperations)

/** Sends nothing but the token: what gets past the role fails at its input or its object, if at all. */
async function call(operation: OperationDefinition, token: string | undefined, authorization?: string) {
  const path = operation.path.replaceAll(/:\w+/g, 'x')
  const header = authorization ?? (token === undefined ? undefined : `Bearer ${token}`)
  const ending = new AbortController()
  const response = await fetch(`${plane.url}${path}`, {
    method: operation.method,
    headers: header === undefined ? {} : { authorization: header },
    signal: ending.signal,
  })
  const events = response.headers.get('content-type')?.startsWith('text/event-stream') === true
  const error = response.ok || events ? undefined : await errorOf(response)
  ending.abort()
  return { status: response.status, code: error?.code }
}

test.each(
  definitions.map((operation) => [operation.id, operation.role, operation] as const),
)('%s lets in whom its role %s names, and nobody else', async (_id, role, operation) => {
  for (const [name, token] of Object.entries(tokens)) {
    const { status, code } = await call(operation, token)
    if (table[role]?.includes(name) === true) expect([401, 403], name).not.toContain(status)
    else if (name === 'nobody') expect({ status, code }, name).toEqual({ status: 401, code: 'key_missing' })
    else expect({ status, code }, name).toEqual({ status: 403, code: 'forbidden' })
  }
})

test.each([
  ['no scheme', 'sbt_x', 'key_missing'],
  ['another scheme', 'Basic dXNlcjpwYXNz', 'key_missing'],
  ['an empty token', 'Bearer ', 'key_missing'],
  ['two tokens', 'Bearer a b', 'key_missing'],
  ['a token nobody has', `Bearer ${createSecret('token')}`, 'key_invalid'],
  ['a gateway token nobody has', `Bearer ${createSecret('gateway')}`, 'key_invalid'],
  ['a mistyped token', `Bearer ${createSecret('token')}x`, 'key_invalid'],
  ['a key for calls', `Bearer ${createSecret('key')}`, 'key_invalid'],
  ['a very long token', `Bearer ${'a'.repeat(5000)}`, 'key_invalid'],
])('%s is refused', async (_, authorization, code) => {
  expect(await call(apiOperations.listTokens, undefined, authorization)).toEqual({ status: 401, code })
})

test('the challenge says how to come back', async () => {
  const response = await fetch(`${plane.url}/v1/me`)
  expect(response.headers.get('www-authenticate')).toBe('Bearer')
})

test('a revoked token fails on the next request, and says so', async () => {
  const { id, token } = await client.createToken({ name: 'short-lived', role: 'admin' })
  expect((await call(apiOperations.getMe, token)).status).toBe(200)
  await client.revokeToken({ id })
  expect(await call(apiOperations.getMe, token)).toEqual({ status: 401, code: 'key_revoked' })
})
