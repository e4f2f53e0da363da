import { createClient } from '@signalbox/sdk'
import { v7 as newId } from 'uuid'
import { afterAll, expect, test } from 'vitest'
import { createTestDatabase } from '../../support/database.ts'
import { refusalOf, startAccessPlane } from '../access-plane.ts'
import { callRecord, packSegment } from '../segment-lines.ts'

const plane = await startAccessPlane(await createTestDatabase())
afterAll(() => plane.stop())
const { client } = plane

const team = (name: string, parent?: string) =>
  client.createTeam({ name, ...(parent === undefined ? {} : { parent }) })
const pathsOf = async () => (await client.listTeams()).items.map(({ path }) => path)

test('a move takes along all below, keys too, and the revision tells', async () => {
  const apps = await team('apps')
  const search = await team('search')
  const ranking = await team('ranking', 'search')
  const key = await client.createKey({ team: ranking.id, name: 'ci' })
  const moved = await client.updateTeam({ team: search.id, revision: 1, parent: 'apps' })
  expect(moved).toMatchObject({ path: 'apps/search', parentId: apps.id, revision: 2, name: 'search' })
  const renamed = await client.updateTeam({ team: 'apps/search', revision: 2, name: 'discovery' })
  expect(renamed).toMatchObject({ path: 'apps/discovery', revision: 3 })
  expect(await pathsOf()).toEqual(['', 'apps', 'apps/discovery', 'apps/discovery/ranking'])
  expect((await client.getKey({ id: key.id })).team).toEqual({ id: ranking.id, name: 'ranking' })
  await client.updateTeam({ team: search.id, revision: 3, name: 'search', parent: '' })
  expect(await pathsOf()).toEqual(['', 'apps', 'search', 'search/ranking'])
  const { items } = await client.listAudit({ limit: 3 })
  expect(items[0]).toMatchObject({
    action: 'updateTeam',
    detail: { from: 'apps/discovery', to: 'search' },
  })
})

test('of two who edit at once the second is told, and the first is kept', async () => {
  const { id } = await team('shared')
  const results = await Promise.allSettled(
    ['one', 'two'].map((name) => client.updateTeam({ team: id, revision: 1, name })),
  )
  expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  const lost = results.find((each) => each.status === 'rejected')
  expect(lost?.reason).toMatchObject({ status: 409, code: 'conflict', param: 'revision' })
  expect((await pathsOf()).filter((path) => path === 'one' || path === 'two')).toHaveLength(1)
})

test('no node stands below itself, below a project, twice in a place, or too deep', async () => {
  const a = await team('a')
  const b = await team('b', 'a')
  const project = await client.createTeam({ name: 'p', kind: 'project' })
  const move = (parent: string, of = a) => client.updateTeam({ team: of.id, revision: 1, parent })
  for (const parent of ['a', 'a/b']) {
    expect(await refusalOf(move(parent))).toMatchObject({
      status: 400,
      param: 'parent',
      message: '"a" cannot stand below itself.',
    })
  }
  expect(await refusalOf(move(project.id))).toMatchObject({ status: 400, param: 'parent' })
  expect(
    await refusalOf(client.updateTeam({ team: b.id, revision: 1, name: 'p', parent: '' })),
  ).toMatchObject({
    status: 409,
    code: 'already_exists',
  })
  let deepest = ''
  for (let level = 1; level <= 15; level++)
    deepest = (await team(`d${level}`, deepest === '' ? undefined : deepest)).path
  expect(await refusalOf(move(deepest))).toMatchObject({ status: 400, message: /at most 16 levels/ })
  expect((await client.updateTeam({ team: b.id, revision: 1, parent: deepest })).path).toBe(`${deepest}/b`)
})

test('two moves at once that would make a cycle leave a tree', async () => {
  const [x, y] = [await team('x'), await team('y')]
  const results = await Promise.allSettled([
    client.updateTeam({ team: x.id, revision: 1, parent: y.id }),
    client.updateTeam({ team: y.id, revision: 1, parent: x.id }),
  ])
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
})

test('the organisation itself neither moves nor goes', async () => {
  const [root] = (await client.listTeams()).items
  const { id = '', revision = 0 } = root ?? {}
  expect(await refusalOf(client.updateTeam({ team: id, revision, name: 'mine' }))).toMatchObject({
    status: 409,
  })
  expect(await refusalOf(client.deleteTeam({ team: id }))).toMatchObject({ status: 409 })
})

test('a node goes only when nothing hangs on it, and the refusal says what does', async () => {
  const old = await team('old')
  const child = await team('child', 'old')
  const key = await client.createKey({ team: old.id, name: 'ci' })
  const token = await client.createToken({ name: 'ci', role: 'viewer', node: 'old' })
  expect((await refusalOf(client.deleteTeam({ team: 'old' }))).message).toBe(
    '"old" cannot be deleted: it has one node below it, one key that works, one token that holds on it.',
  )
  await client.revokeKey({ id: key.id })
  await client.revokeToken({ id: token.id })
  await client.deleteTeam({ team: child.id })
  expect(await refusalOf(client.deleteTeam({ team: 'old', revision: 7 }))).toMatchObject({ code: 'conflict' })
  expect((await client.deleteTeam({ team: 'old', revision: 1 })).path).toBe('old')
  expect(await pathsOf()).not.toContain('old')
  expect(await refusalOf(client.getKey({ id: key.id }))).toMatchObject({ status: 404 })
})

test('a node with calls stays, for its spend', async () => {
  const spent = await team('spent')
  const { token } = await client.enrollGateway({ environment: 'development' })
  const { digest, bytes } = packedOf(callRecord({ nodeId: spent.id }))
  const response = await fetch(
    `${plane.url}/v1/gateway/segments/${encodeURIComponent(digest)}?records=1&incarnation=${newId()}`,
    { method: 'PUT', headers: { authorization: `Bearer ${token}` }, body: new Uint8Array(bytes) },
  )
  expect(response.status).toBe(200)
  expect((await refusalOf(client.deleteTeam({ team: 'spent' }))).message).toMatch(/has calls that were made/)
})

function packedOf(record: ReturnType<typeof callRecord>) {
  return packSegment([record])
}

test('an administrator of one team sees and changes that team alone', async () => {
  await team('mine')
  await team('theirs')
  const { token } = await client.createToken({ name: 'lead', role: 'admin', node: 'mine' })
  const lead = createClient({ url: plane.url, token })
  const web = await lead.createTeam({ name: 'web', parent: 'mine' })
  await client.createKey({ team: 'theirs', name: 'hidden' })
  const own = await lead.createKey({ team: 'mine', name: 'shown' })
  expect((await lead.listTeams()).items.map(({ path }) => path)).toEqual(['mine', 'mine/web'])
  expect((await lead.listKeys()).items.map(({ id }) => id)).toEqual([own.id])
  expect((await lead.listTokens()).items.map(({ name }) => name)).toEqual(['lead'])
  for (const parent of ['theirs', '']) {
    const refusal = await refusalOf(lead.updateTeam({ team: web.id, revision: 1, parent }))
    expect([403, 404]).toContain(refusal.status)
  }
  expect(await refusalOf(lead.createTeam({ name: 'more' }))).toMatchObject({ status: 403 })
  expect(await refusalOf(lead.createKey({ team: 'theirs', name: 'x' }))).toMatchObject({
    status: 404,
    message: 'There is no team "theirs".',
  })
})

test('nobody gives more than they hold', async () => {
  const made = await client.createToken({ name: 'admin', role: 'admin' })
  const admin = createClient({ url: plane.url, token: made.token })
  expect(await refusalOf(admin.createToken({ name: 'x', role: 'owner' }))).toMatchObject({ status: 403 })
  expect((await admin.createToken({ name: 'x', role: 'admin' })).role).toBe('admin')
})

test('a token ends when it said it would', async () => {
  const expiresMs = Date.now() + plane.clock.offsetMs + 60_000
  const { token } = await client.createToken({ name: 'brief', role: 'viewer', expiresMs })
  const brief = createClient({ url: plane.url, token })
  expect((await brief.getMe()).role).toBe('viewer')
  plane.clock.offsetMs += 61_000
  expect(await refusalOf(brief.getMe())).toMatchObject({ status: 401, code: 'key_revoked' })
  expect(await refusalOf(client.createToken({ name: 'x', role: 'viewer', expiresMs: 1 }))).toMatchObject({
    status: 400,
    param: 'expiresMs',
  })
})
