import { createHash } from 'node:crypto'
import { v7 as newId } from 'uuid'
import { afterAll, expect, test } from 'vitest'
import { storedThing } from '../../../control-plane/db/schema.ts'
import { ControlPlaneLink } from '../../../gateway/documents/control-plane-link.ts'
import { createTestDatabase } from '../../support/database.ts'
import { connectGateway, startAccessPlane } from '../access-plane.ts'

const plane = await startAccessPlane(await createTestDatabase())
const gateway = await connectGateway(plane)
const link = new ControlPlaneLink({ url: plane.url, token: gateway.token })
afterAll(async () => {
  await link.close()
  await plane.stop()
})
const keyOf = (id: string): string => createHash('sha256').update(id).digest('base64url')
const signal = (): AbortSignal => AbortSignal.timeout(5000)

test('the first owner of a thing stays it, and what is forgotten is nobody’s', async () => {
  const [one, two] = [
    await plane.client.createTeam({ name: 'one' }),
    await plane.client.createTeam({ name: 'two' }),
  ]
  const thing = { key: keyOf('file-1'), nodeId: one.id, connection: 'openai', lasts: true }
  await link.noteStored({ things: [thing], forgotten: [] }, signal())
  await link.noteStored({ things: [{ ...thing, nodeId: two.id }], forgotten: [] }, signal())
  const found = await link.findStored([thing.key, keyOf('file-2')], signal())
  expect(found.things).toEqual([{ key: thing.key, nodeId: one.id, connection: 'openai' }])
  await link.noteStored({ things: [], forgotten: [thing.key] }, signal())
  expect((await link.findStored([thing.key], signal())).things).toEqual([])
})

test('a node that is not the organisation’s owns nothing, and what providers forget goes', async () => {
  const stray = { key: keyOf('file-3'), nodeId: newId(), connection: 'openai', lasts: false }
  await link.noteStored(
    { things: [stray, { ...stray, key: keyOf('file-4'), nodeId: 'x' }], forgotten: [] },
    signal(),
  )
  expect(await plane.db.select().from(storedThing)).toEqual([])
  const team = await plane.client.createTeam({ name: 'three' })
  const row = {
    organisationId: plane.organisationId,
    environment: 'development',
    nodeId: team.id,
    connection: 'openai',
  }
  await plane.db.insert(storedThing).values([
    { ...row, key: keyOf('resp_1'), expiresMs: 1000 },
    { ...row, key: keyOf('file-5'), expiresMs: null },
  ])
  await link.noteStored({ things: [], forgotten: [] }, signal())
  expect((await plane.db.select().from(storedThing)).map(({ key }) => key)).toEqual([keyOf('file-5')])
})
