import type { KeyScopes } from '@signalbox/sdk/contract'
import { hashSecret, isWellFormedSecret } from '@signalbox/sdk/node'
import { sql } from 'drizzle-orm'
import { v7 as newId } from 'uuid'
import { afterAll, expect, test } from 'vitest'
import { loadKeyRows, loadRevokedKeys } from '../../../control-plane/stores/key-shards.ts'
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
  expect(await client.getKey({ id: made.id })).toEqual(listed)
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

test('a key is found by how it begins, a page at a time', async () => {
  const made = await client.createKey({ team: 'search', name: 'to be found' })
  for (const length of [5, 8, 12, 20]) {
    const { items } = await client.listKeys({ prefix: made.key.slice(0, length) })
    expect(items.map((each) => each.id)).toContain(made.id)
    if (length > 6) expect(items).toHaveLength(1)
  }
  expect((await client.listKeys({ prefix: 'sb_dzzzzzzzz' })).items).toEqual([])
  expect(await refusalOf(client.listKeys({ prefix: '%' }))).toMatchObject({ status: 400 })
  const all = (await client.listKeys()).items.map((each) => each.id)
  const paged: string[] = []
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await client.listKeys({ limit: 3, ...(cursor === undefined ? {} : { cursor }) })
    paged.push(...page.items.map((each) => each.id))
    cursor = page.nextCursor
  }
  expect(paged).toEqual(all)
})

test('scopes are kept, changed and refused where no call could fit', async () => {
  const scopes = { models: ['smart', 'openai/*'], ipRanges: ['10.0.0.0/8'], requiredMetadata: ['feature'] }
  const made = await client.createKey({ team: 'search', name: 'scoped', scopes })
  expect(made.scopes).toEqual(scopes)
  const changed = await client.updateKey({
    ...{ id: made.id, revision: 1, name: 'renamed', team: 'ranking' },
    scopes: { operations: ['chat'] },
  })
  expect(changed).toMatchObject({ name: 'renamed', revision: 2, scopes: { operations: ['chat'] } })
  expect(changed.team.name).toBe('ranking')
  const late = client.updateKey({ id: made.id, revision: 1, name: 'lost' })
  expect(await refusalOf(late)).toMatchObject({ status: 409, param: 'revision' })
  const wrong: readonly [KeyScopes, string][] = [
    [{ ipRanges: ['10.0.0.0/40'] }, 'scopes.ipRanges'],
    [{ ipRanges: ['localhost'] }, 'scopes.ipRanges'],
    [{ models: ['*mini'] }, 'scopes.models'],
  ]
  for (const [odd, param] of wrong) {
    const refused = client.createKey({ team: 'search', name: 'x', scopes: odd })
    expect(await refusalOf(refused)).toMatchObject({ status: 400, param })
  }
})

test('a rotated key has a new secret and the same id; the old one works for its grace', async () => {
  const made = await client.createKey({ team: 'search', name: 'turning' })
  const rotated = await client.rotateKey({ id: made.id, graceS: 3600 })
  expect(rotated).toMatchObject({ id: made.id, name: 'turning', revision: 2 })
  expect(rotated.key).not.toBe(made.key)
  expect((rotated.previousUntilMs ?? 0) - (rotated.rotatedMs ?? 0)).toBe(3_600_000)
  const linesOf = async () => {
    const { environments } = await client.getStatus({ environment: 'development' })
    expect(environments[0]?.state).toBeGreaterThan(0)
    const keys = { organisationId: plane.organisationId, environment: 'development', revokedAfterMs: 0 }
    const rows = await loadKeyRows(plane.db, keys, { prefixLength: 0, prefixes: [] })
    return rows.filter((row) => row.id === made.id)
  }
  const lines = await linesOf()
  expect(lines.map((row) => row.hash).sort()).toEqual([hashSecret(made.key), hashSecret(rotated.key)].sort())
  expect(lines.find((row) => row.hash === hashSecret(made.key))?.expiresMs).toBe(rotated.previousUntilMs)
  const last = await client.rotateKey({ id: made.id, graceS: 0 })
  expect(last.previousUntilMs).toBeNull()
  const revoked = await loadRevokedKeys(
    plane.db,
    { organisationId: plane.organisationId, environment: 'development', sinceMs: 0 },
    100,
  )
  const hashes = revoked.map((row) => row.hash)
  expect(hashes).toEqual(expect.arrayContaining([hashSecret(made.key), hashSecret(rotated.key)]))
  expect(hashes).not.toContain(hashSecret(last.key))
  await client.revokeKey({ id: made.id })
  expect(await refusalOf(client.rotateKey({ id: made.id }))).toMatchObject({ status: 409, code: 'conflict' })
})
