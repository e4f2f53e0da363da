import { type AuditRow, decodeTrustRoot, findBrokenAuditRow } from '@signalbox/sdk/node'
import { sql } from 'drizzle-orm'
import { v7 as newId } from 'uuid'
import { afterAll, expect, test } from 'vitest'
import { createTestDatabase } from '../../support/database.ts'
import { connectGateway, refusalOf, startAccessPlane } from '../access-plane.ts'

const plane = await startAccessPlane(await createTestDatabase())
afterAll(() => plane.stop())
const { client } = plane

test('three environments are there from the start', async () => {
  const { items } = await client.listEnvironments()
  expect(items.map((each) => each.name).sort()).toEqual(['development', 'production', 'staging'])
})

test('enrolling gives a token and the trust root that the documents are signed under', async () => {
  const one = await client.enrollGateway({ environment: 'staging' })
  const two = await client.enrollGateway({ environment: 'staging', name: 'edge' })
  expect([one.name, two.name]).toEqual(['staging-1', 'edge'])
  expect(one.token).toMatch(/^sbg_/)
  const { root } = decodeTrustRoot(one.trustRoot)
  expect(root).toMatchObject({ type: 'root/1', organisationId: plane.organisationId, sequence: 1 })
  expect(root.roles.release.keyIds).toHaveLength(1)
  expect(root.roles.root.keyIds).not.toEqual(root.roles.release.keyIds)
  expect(two.trustRoot).toBe(one.trustRoot)
  expect(await refusalOf(client.enrollGateway({ environment: 'nowhere' }))).toMatchObject({ status: 404 })
})

test('a gateway shows what it runs and what it rejected, while it is there', async () => {
  const find = async (id: string) => (await client.listGateways()).items.find((each) => each.id === id)
  const gateway = await connectGateway(plane, 'staging')
  await gateway.ack('state', 4)
  await gateway.ack('release', 3)
  await gateway.ack('release', 5, { result: 'rejected', error: 'vectors differ' })
  expect(await find(gateway.id)).toMatchObject({
    incarnation: gateway.incarnation,
    connected: true,
    url: 'http://127.0.0.1:8787',
    software: 'gateway/1',
    release: 3,
    state: 4,
    rejected: { document: 'release', sequence: 5, error: 'vectors differ' },
  })
  await gateway.ack('release', 6)
  expect(await find(gateway.id)).toMatchObject({ release: 6, rejected: null })
  await gateway.close()
  expect((await find(gateway.id))?.connected).toBe(false)
})

test('the status of an environment says whether its gateways have what is newest', async () => {
  const gateway = await connectGateway(plane, 'production')
  const production = async () => (await client.getStatus({ environment: 'production' })).environments[0]
  const before = await production()
  expect(before).toMatchObject({ name: 'production', release: null, deployments: [], converged: false })
  expect(before?.state).toBeGreaterThan(0)
  // Where nothing is deployed, no release is what everybody has.
  await gateway.ack('state', before?.state ?? 0)
  expect(await production()).toMatchObject({ converged: true, gateways: [{ id: gateway.id }] })
  await gateway.close()
  const all = await client.getStatus()
  expect(all).toMatchObject({ organisation: { name: 'default' }, software: 'test/1' })
  expect(all.environments).toHaveLength(3)
  expect(await refusalOf(client.getStatus({ environment: 'nowhere' }))).toMatchObject({ status: 404 })
})

test('every change stands in the audit, newest first, in pages', async () => {
  await client.createTeam({ name: 'audited' })
  const key = await client.createKey({ team: 'audited', name: 'k' })
  await client.revokeKey({ id: key.id })
  const { items } = await client.listAudit({ limit: 3 })
  expect(items.map((row) => row.action)).toEqual(['revokeKey', 'createKey', 'createTeam'])
  expect(items[1]).toMatchObject({
    actor: 'root',
    object: `key ${key.id}`,
    detail: { name: 'k', team: 'audited' },
  })
  const older = await client.listAudit({ limit: 2, before: items[1]?.sequence ?? 0 })
  expect(older.items[0]?.sequence).toBe((items[1]?.sequence ?? 0) - 1)
  expect(JSON.stringify(items)).not.toContain(key.key)
})

test('what is refused leaves no row', async () => {
  const count = async () => (await client.listAudit({ limit: 1 })).items[0]?.sequence
  const before = await count()
  await refusalOf(client.createTeam({ name: 'audited' }))
  await refusalOf(client.revokeKey({ id: newId() }))
  expect(await count()).toBe(before)
})

test('the chain holds when many change at once, and shows what somebody changed behind our back', async () => {
  await Promise.all(Array.from({ length: 24 }, (_, index) => client.createTeam({ name: `many-${index}` })))
  const chain = async (): Promise<AuditRow[]> => {
    const { items } = await client.listAudit({ limit: 1000 })
    return items.reverse().map((row) => ({ ...row, organisationId: plane.organisationId }))
  }
  const rows = await chain()
  expect(rows.length).toBeGreaterThan(24)
  expect(findBrokenAuditRow(rows)).toBeNull()
  await plane.db.execute(sql`alter table audit disable trigger append_only`)
  await plane.db.execute(sql`update audit set actor = 'somebody else' where sequence = 5`)
  expect(findBrokenAuditRow(await chain())).toBe(5)
})
