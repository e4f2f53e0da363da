import { createClient } from '@signalbox/sdk'
import { hashSecret, isWellFormedSecret } from '@signalbox/sdk/node'
import { sql } from 'drizzle-orm'
import { v7 as newId } from 'uuid'
import { afterAll, expect, test } from 'vitest'
import { createTestDatabase } from '../../support/database.ts'
import { connectGateway, refusalOf, startAccessPlane } from '../access-plane.ts'

const plane = await startAccessPlane(await createTestDatabase())
afterAll(() => plane.stop())
const { client } = plane
const rootId = (await client.listTeams()).items[0]?.id

test('the root token says who it is', async () => {
  const me = await client.getMe()
  expect(me).toMatchObject({
    name: 'root',
    role: 'owner',
    kind: 'token',
    organisation: { id: plane.organisationId, name: 'default' },
    environment: 'development',
  })
  expect(me.gatewayUrl).toBeUndefined()
})

test('a connected gateway has an address to call', async () => {
  const gateway = await connectGateway(plane)
  expect((await client.getMe()).gatewayUrl).toBe('http://127.0.0.1:8787')
  await gateway.close()
})

test('a token is shown once and stored as its hash alone', async () => {
  const made = await client.createToken({ name: 'ci', role: 'developer' })
  expect(made).toMatchObject({ name: 'ci', role: 'developer', lastUsedMs: null, revokedMs: null })
  expect(made.token).toMatch(/^sbt_/)
  expect(isWellFormedSecret(made.token)).toBe(true)
  const { items } = await client.listTokens()
  const listed = items.find((each) => each.id === made.id)
  expect(listed).toEqual({
    id: made.id,
    name: 'ci',
    role: 'developer',
    node: { id: rootId, path: '' },
    createdMs: made.createdMs,
    expiresMs: null,
    lastUsedMs: null,
    revokedMs: null,
  })
  const stored = await plane.db.execute(sql`select token::text as row from token where id = ${made.id}`)
  expect(JSON.stringify(stored.rows)).toContain(hashSecret(made.token))
  expect(JSON.stringify(stored.rows)).not.toContain(made.token)
})

test('its last use is noted, at most once a minute', async () => {
  const made = await client.createToken({ name: 'used', role: 'developer' })
  const used = createClient({ url: plane.url, token: made.token })
  const lastUsed = async () => {
    await used.getMe()
    const { items } = await client.listTokens()
    return items.find((each) => each.id === made.id)?.lastUsedMs
  }
  const first = await lastUsed()
  expect(first).toBeGreaterThanOrEqual(made.createdMs)
  expect(await lastUsed()).toBe(first)
  plane.clock.offsetMs += 61_000
  expect(await lastUsed()).toBeGreaterThanOrEqual((first ?? 0) + 60_000)
})

test('revoking twice changes nothing the second time', async () => {
  const { id } = await client.createToken({ name: 'twice', role: 'developer' })
  const first = await client.revokeToken({ id })
  expect(first.revokedMs).not.toBeNull()
  expect(await client.revokeToken({ id })).toEqual(first)
  const { items } = await client.listAudit({ limit: 1000 })
  expect(items.filter((row) => row.object === `token ${id}`).map((row) => row.action)).toEqual([
    'revokeToken',
    'createToken',
  ])
})

test('an unknown id, well formed or not, is not found', async () => {
  expect(await refusalOf(client.revokeToken({ id: newId() }))).toMatchObject({
    status: 404,
    code: 'not_found',
  })
  expect(await refusalOf(client.revokeToken({ id: 'nonsense' }))).toMatchObject({
    status: 404,
    code: 'not_found',
  })
})

test('the root token is not revoked through itself', async () => {
  const { tokenId } = await client.getMe()
  expect(await refusalOf(client.revokeToken({ id: tokenId ?? '' }))).toMatchObject({
    status: 409,
    code: 'conflict',
  })
})
