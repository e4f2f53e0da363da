import { v7 as newId } from 'uuid'
import { afterAll, expect, test } from 'vitest'
import { applyDeclaredTeams } from '../../../control-plane/declared-teams.ts'
import { buildState } from '../../../control-plane/documents/state.ts'
import { createTestDatabase } from '../../support/database.ts'
import { connectGateway, refusalOf, startAccessPlane } from '../access-plane.ts'

const plane = await startAccessPlane(await createTestDatabase())
afterAll(() => plane.stop())
const { client, db, organisationId } = plane
const newest = async () => (await client.listAudit({ limit: 1 })).items[0]
const perMinute = { unit: 'requests', window: 'minute' } as const

test('a limit is made, changed and listed by its place; each change has its audit row', async () => {
  const team = await client.createTeam({ name: 'search' })
  const made = await client.setLimit({ team: 'search', ...perMinute, limit: 600 })
  expect(made).toMatchObject({
    owner: { kind: 'node', id: team.id },
    ...{ path: 'search', ...perMinute, limit: 600, mode: 'hard', managedBy: 'api', revision: 1 },
  })
  const changed = await client.setLimit({ team: 'search', ...perMinute, limit: 700, mode: 'shadow' })
  expect(changed).toMatchObject({ id: made.id, limit: 700, mode: 'shadow', revision: 2 })
  expect(await newest()).toMatchObject({
    action: 'setLimit',
    object: `limit ${made.id}`,
    detail: { before: { limit: 600, mode: 'hard' }, after: { limit: 700, mode: 'shadow' } },
  })
  expect((await client.setLimit({ team: 'search', ...perMinute, limit: 700 })).revision).toBe(2)
})

test('a model, a metadata value and what is counted by itself make a limit of their own', async () => {
  const rest = [
    { model: 'smart' },
    { metadata: { name: 'tier', value: 'free' } },
    { metadata: { name: 'tier', value: true } },
    { per: 'metadata.tier' },
  ]
  for (const each of rest) await client.setLimit({ team: 'search', ...perMinute, limit: 1, ...each })
  const key = await client.createKey({ team: 'search', name: 'nightly' })
  await client.setLimit({ key: key.id, unit: 'concurrency', limit: 5 })
  const { items } = await client.listLimits({ team: 'search' })
  expect(items).toHaveLength(5)
  expect((await client.listLimits({ key: key.id })).items).toMatchObject([
    { path: 'search/nightly', unit: 'concurrency', limit: 5 },
  ])
})

test('gateways read them in the state: those of nodes, and those of keys of their environment', async () => {
  const unitsOf = async (environment: string) =>
    (await buildState(db, { organisationId, environment }, Date.now())).rateLimits?.map(({ unit }) => unit)
  expect(await unitsOf('development')).toContain('concurrency')
  expect(await unitsOf('production')).toEqual(Array(5).fill('requests'))
})

test('what cannot be is refused, and so is a change of what somebody else has changed', async () => {
  const none = await refusalOf(client.setLimit({ ...perMinute, limit: 1 }))
  expect(none.message).toContain('of a team or of a key')
  const windowed = await refusalOf(
    client.setLimit({ team: 'search', unit: 'concurrency', window: 'day', limit: 1 }),
  )
  expect(windowed.message).toBe('A limit of concurrency has no window.')
  const open = await refusalOf(client.setLimit({ team: 'search', unit: 'tokens', limit: 1 }))
  expect(open.message).toBe('A limit of tokens needs a window.')
  expect(await refusalOf(client.setLimit({ team: 'search', ...perMinute, limit: -1 }))).toMatchObject({
    status: 400,
  })
  expect(await refusalOf(client.setLimit({ key: newId(), ...perMinute, limit: 1 }))).toMatchObject({
    status: 404,
  })
  const late = client.setLimit({ team: 'search', ...perMinute, limit: 9, revision: 1 })
  expect(await refusalOf(late)).toMatchObject({ status: 409, code: 'conflict' })
})

test('a limit is deleted once, and is gone from the state', async () => {
  await client.createTeam({ name: 'mail' })
  const { id } = await client.setLimit({ team: 'mail', unit: 'tokens', window: 'day', limit: 10 })
  expect((await client.deleteLimit({ id })).id).toBe(id)
  expect(await newest()).toMatchObject({ action: 'deleteLimit', object: `limit ${id}` })
  expect(await refusalOf(client.deleteLimit({ id }))).toMatchObject({ status: 404 })
  expect(await refusalOf(client.deleteLimit({ id: 'no-uuid' }))).toMatchObject({ status: 404 })
})

test('declared limits are made and set again; what the file does not name stays', async () => {
  const tools = { db, nowMs: Date.now, newId }
  const context = { organisationId, actor: 'tester', action: 'deploy' }
  const declare = (limits: object) =>
    applyDeclaredTeams(tools, context, { ownerPath: '', teams: { ads: { limits } } })
  expect(await declare({ rpm: 600, tpd: 2_000_000, concurrency: 50 })).toBe(true)
  expect(await declare({ rpm: 600 })).toBe(false)
  await client.setLimit({ team: 'ads', ...perMinute, limit: 5 })
  expect(await declare({ rpm: 600, mode: 'shadow' })).toBe(true)
  const { items } = await client.listLimits({ team: 'ads' })
  expect(
    items.map(({ unit, window, limit, mode, managedBy }) => [unit, window, limit, mode, managedBy]),
  ).toEqual([
    ['concurrency', undefined, 50, 'hard', 'workspace'],
    ['requests', 'minute', 600, 'shadow', 'workspace'],
    ['tokens', 'day', 2_000_000, 'hard', 'workspace'],
  ])
})

test('what a gateway says of itself is in the status, until it starts again', async () => {
  const gateway = await connectGateway(plane)
  const report = {
    sharedStore: 'away',
    cache: { hits: 3, misses: 1, savedNanoUsd: '1200', bytes: 10 },
    limits: { refused: 2, wouldRefuse: 0 },
    timeMs: 1_790_000_000_000,
  } as const
  const tell = (incarnation: string) =>
    fetch(`${plane.url}/v1/gateway/report`, {
      method: 'POST',
      headers: { authorization: `Bearer ${gateway.token}` },
      body: JSON.stringify({ incarnation, report }),
    })
  const told = async () =>
    (await client.listGateways()).items.find(({ id }) => id === gateway.id)?.report ?? null
  expect((await tell(newId())).status).toBe(200)
  expect(await told()).toBeNull()
  await tell(gateway.incarnation)
  expect(await told()).toEqual(report)
})
