import { sql } from 'drizzle-orm'
import { afterAll, expect, test } from 'vitest'
import { connectionSecretContext } from '../../../control-plane/secret-contexts.ts'
import { createTestDatabase } from '../../support/database.ts'
import { connectGateway, refusalOf, startAccessPlane } from '../access-plane.ts'

const plane = await startAccessPlane(await createTestDatabase())
afterAll(() => plane.stop())
const { client } = plane

test('native connections are listed with their references, their state unknown without a gateway', async () => {
  const { items } = await client.listConnections()
  expect(items.map((each) => [each.name, each.credential, each.status])).toEqual([
    ['anthropic', 'env:ANTHROPIC_API_KEY', 'unknown'],
    ['google', 'env:GEMINI_API_KEY', 'unknown'],
    ['openai', 'env:OPENAI_API_KEY', 'unknown'],
  ])
  expect(items[0]).toMatchObject({ source: 'native', environment: 'development', secretSetMs: null })
})

test('a secret is stored encrypted, for one environment, and never shown again', async () => {
  const secret = 'sk-live-geheim'
  const set = await client.setConnection({ name: 'openai', environment: 'production', secret })
  expect(set).toMatchObject({ name: 'openai', environment: 'production', credential: 'secret:openai' })
  expect(set.secretSetMs).not.toBeNull()
  const [development] = (await client.listConnections({ environment: 'development' })).items.filter(
    (each) => each.name === 'openai',
  )
  expect(development).toMatchObject({ credential: 'env:OPENAI_API_KEY', secretSetMs: null })
  const rows = await plane.db.execute<{ value: string }>(sql`select value from connection_secret`)
  expect(rows.rows).toHaveLength(1)
  expect(rows.rows[0]?.value).not.toContain('geheim')
  const context = connectionSecretContext(plane.organisationId, 'production', 'openai')
  expect(plane.secrets.decrypt(rows.rows[0]?.value ?? '', context)).toBe(secret)
  expect(JSON.stringify(await client.listAudit({ limit: 1000 }))).not.toContain('geheim')
})

test('setting it again replaces it', async () => {
  await client.setConnection({ name: 'google', secret: 'first' })
  plane.clock.offsetMs += 1000
  await client.setConnection({ name: 'google', secret: ' second\n', credential: 'secret:google' })
  const rows = await plane.db.execute<{ value: string }>(
    sql`select value from connection_secret where name = 'google'`,
  )
  const context = connectionSecretContext(plane.organisationId, 'development', 'google')
  expect(rows.rows.map((row) => plane.secrets.decrypt(row.value, context))).toEqual(['second'])
})

test('what cannot be stored is refused', async () => {
  expect(await refusalOf(client.setConnection({ name: 'nowhere', secret: 'x' }))).toMatchObject({
    status: 404,
  })
  expect(await refusalOf(client.setConnection({ name: 'openai' }))).toMatchObject({
    status: 400,
    param: 'secret',
  })
  for (const credential of ['env:OTHER', 'file:/run/key', 'secret:other']) {
    const refused = await refusalOf(client.setConnection({ name: 'openai', secret: 'x', credential }))
    expect(refused, credential).toMatchObject({ status: 400, param: 'credential' })
  }
  expect(await refusalOf(client.listConnections({ environment: 'nowhere' }))).toMatchObject({ status: 404 })
})

test('the state is the worst that the connected gateways report', async () => {
  const status = async (name: string) =>
    (await client.listConnections()).items.find((each) => each.name === name)?.status
  const one = await connectGateway(plane)
  const two = await connectGateway(plane)
  await one.ack('release', 1, { connections: { openai: 'simulated', anthropic: 'available' } })
  await two.ack('release', 1, { connections: { openai: 'available', anthropic: 'available' } })
  expect([await status('openai'), await status('anthropic'), await status('google')]).toEqual([
    'simulated',
    'available',
    'unknown',
  ])
  await two.ack('credentials', 1, { connections: { openai: 'unavailable', anthropic: 'available' } })
  expect(await status('openai')).toBe('unavailable')
  await one.close()
  await two.close()
})
