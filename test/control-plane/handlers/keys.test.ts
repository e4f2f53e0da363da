import { hashSecret, isWellFormedSecret } from '@signalbox/sdk/node'
import { sql } from 'drizzle-orm'
import { v7 as newId } from 'uuid'
import { afterAll, expect, test } from 'vitest'
import { createTestDatabase } from '../../support/database.ts'
import { connectGateway, refusalOf, startAccessPlane } from '../access-plane.ts'

const databaseUrl = await createTestDatabase()
const plane = await startAccessPlane(databaseUrl)
afterAll(() => plane.stop())
const { client } = plane
const team = await client.createTeam({ name: 'search' })
const inner = await client.createTeam({ name: 'ranking', parent: 'search' })

test('a key is shown once, carries its environment and is stored as its hash alone', async () => {
  const made = await client.createKey({ team: 'search', name: 'ci' })
  expect(made).toMatchObject({
    name: 'ci',
    team: { id: team.id, name: 'search' },
    environment: 'development',
    expiresMs: null,
    revokedMs: null,
  })
  expect(made.key).toMatch(/^sb_d/)
  expect(isWellFormedSecret(made.key)).toBe(true)
  expect(made.key.startsWith(made.start)).toBe(true)
  expect(made.pending).toBeUndefined()
  const { key: _key, ...listed } = made
  expect((await client.listKeys({ team: 'search' })).items).toContainEqual(listed)
  const stored = await plane.db.execute(sql`select api_key::text as row from api_key`)
  expect(JSON.stringify(stored.rows)).toContain(hashSecret(made.key))
  expect(JSON.stringify(stored.rows)).not.toContain(made.key)
})

test('the team may be named by id, path or name', async () => {
  for (const reference of [inner.id, 'search/ranking', 'ranking']) {
    const made = await client.createKey({ team: reference, name: `by ${reference}` })
    expect(made.team).toEqual({ id: inner.id, name: 'ranking' })
  }
  expect((await client.listKeys({ team: 'ranking' })).items.map((each) => each.name)).toEqual([
    'by ranking',
    'by search/ranking',
    `by ${inner.id}`,
  ])
  expect((await client.listTeams()).items.find((each) => each.id === inner.id)?.keys).toBe(3)
})

test('another environment gets another letter', async () => {
  const made = await client.createKey({ team: 'search', name: 'prod', environment: 'production' })
  expect(made.key).toMatch(/^sb_p/)
  expect(made.environment).toBe('production')
})

test('a label is taken until its key is revoked', async () => {
  const first = await client.createKey({ team: 'search', name: 'rotated' })
  expect(await refusalOf(client.createKey({ team: 'search', name: 'rotated' }))).toMatchObject({
    status: 409,
    code: 'already_exists',
  })
  await client.createKey({ team: 'ranking', name: 'rotated' })
  await client.revokeKey({ id: first.id })
  const second = await client.createKey({ team: 'search', name: 'rotated' })
  expect(second.id).not.toBe(first.id)
})

test('what does not exist or lies in the past is refused', async () => {
  expect(await refusalOf(client.createKey({ team: 'nowhere', name: 'x' }))).toMatchObject({
    status: 404,
    message: 'There is no team "nowhere".',
  })
  expect(
    await refusalOf(client.createKey({ team: 'search', name: 'x', environment: 'nowhere' })),
  ).toMatchObject({ status: 404, message: 'There is no environment "nowhere".' })
  expect(await refusalOf(client.createKey({ team: 'search', name: 'x', expiresMs: 1 }))).toMatchObject({
    status: 400,
    param: 'expiresMs',
  })
  expect(await refusalOf(client.listKeys({ team: 'nowhere' }))).toMatchObject({ status: 404 })
  expect(await refusalOf(client.revokeKey({ id: newId() }))).toMatchObject({ status: 404 })
  expect(await refusalOf(client.revokeKey({ id: 'nonsense' }))).toMatchObject({ status: 404 })
})

test('revoking twice changes nothing the second time', async () => {
  const { id } = await client.createKey({ team: 'search', name: 'twice' })
  const first = await client.revokeKey({ id })
  expect(first.revokedMs).not.toBeNull()
  expect(await client.revokeKey({ id })).toEqual(first)
  const { items } = await client.listAudit({ limit: 1000 })
  expect(items.filter((row) => row.object === `key ${id}` && row.action === 'revokeKey')).toHaveLength(1)
})

test('a write waits for the gateways that are connected, and names those that do not answer', async () => {
  const gateway = await connectGateway(plane)
  const startMs = performance.now()
  const late = await client.createKey({ team: 'search', name: 'late' })
  expect(performance.now() - startMs).toBeGreaterThan(1900)
  expect(late.pending).toEqual([`gateway ${gateway.id}`])
  const { environments } = await client.getStatus({ environment: 'development' })
  const sequence = environments[0]?.state ?? 0
  const acknowledge = setTimeout(() => gateway.ack('state', sequence + 1), 100)
  const prompt = await client.createKey({ team: 'search', name: 'prompt' })
  clearTimeout(acknowledge)
  expect(prompt.pending).toBeUndefined()
  const elsewhere = await client.createKey({ team: 'search', name: 'other', environment: 'staging' })
  expect(elsewhere.pending).toBeUndefined()
  await gateway.close()
})

test('a change whose publication fails is stored and says that the control plane is pending', async () => {
  const broken = await startAccessPlane(databaseUrl, {
    stateWriter: { publishState: () => Promise.reject(new Error('no connection')) },
  })
  const made = await broken.client.createKey({ team: 'search', name: 'stored anyway' })
  expect(made.pending).toEqual(['control-plane'])
  expect((await client.listKeys({ team: 'search' })).items.map((each) => each.id)).toContain(made.id)
  await broken.stop()
})
