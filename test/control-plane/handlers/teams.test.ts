import { v7 as newId } from 'uuid'
import { afterAll, expect, test } from 'vitest'
import { createTestDatabase } from '../../support/database.ts'
import { refusalOf, startAccessPlane } from '../access-plane.ts'

const plane = await startAccessPlane(await createTestDatabase())
afterAll(() => plane.stop())
const { client } = plane

test('the tree begins with the organisation', async () => {
  const { items } = await client.listTeams()
  expect(items).toEqual([
    {
      id: items[0]?.id,
      name: 'default',
      kind: 'organisation',
      parentId: null,
      path: '',
      revision: 1,
      managedBy: 'api',
      keys: 0,
      createdMs: items[0]?.createdMs,
    },
  ])
})

test('teams stand below the organisation, each other by id, path or name, and projects below teams', async () => {
  const search = await client.createTeam({ name: 'search' })
  expect(search).toMatchObject({ path: 'search', kind: 'team', keys: 0 })
  const ranking = await client.createTeam({ name: 'ranking', parent: search.id })
  expect(ranking).toMatchObject({ path: 'search/ranking', parentId: search.id })
  const nightly = await client.createTeam({ name: 'nightly', parent: 'search/ranking', kind: 'project' })
  expect(nightly).toMatchObject({ path: 'search/ranking/nightly', kind: 'project', parentId: ranking.id })
  await client.createTeam({ name: 'ads', parent: 'default' })
  const { items } = await client.listTeams()
  expect(items.map((each) => each.path)).toEqual([
    '',
    'ads',
    'search',
    'search/ranking',
    'search/ranking/nightly',
  ])
})

test('a name is taken below one parent only', async () => {
  await client.createTeam({ name: 'one' })
  await client.createTeam({ name: 'two' })
  await client.createTeam({ name: 'inner', parent: 'one' })
  await client.createTeam({ name: 'inner', parent: 'two' })
  expect(await refusalOf(client.createTeam({ name: 'inner', parent: 'two' }))).toMatchObject({
    status: 409,
    code: 'already_exists',
    message: 'There is a "inner" already in this place.',
  })
  expect(await refusalOf(client.createTeam({ name: 'one' }))).toMatchObject({ code: 'already_exists' })
  const ambiguous = await refusalOf(client.createTeam({ name: 'x', parent: 'inner' }))
  expect(ambiguous).toMatchObject({ status: 400, code: 'invalid_request' })
  expect(ambiguous.message).toMatch(/give its path, like "(one|two)\/inner"/)
})

test('what cannot stand there is refused', async () => {
  await client.createTeam({ name: 'leaf', kind: 'project' })
  const below = await refusalOf(client.createTeam({ name: 'x', parent: 'leaf' }))
  expect(below).toMatchObject({ status: 400, message: 'Nothing stands below a project.' })
  expect(await refusalOf(client.createTeam({ name: 'x', parent: 'nowhere' }))).toMatchObject({ status: 404 })
  expect(await refusalOf(client.createTeam({ name: 'x', parent: newId() }))).toMatchObject({ status: 404 })
  expect(await refusalOf(client.createTeam({ name: 'Upper Case' }))).toMatchObject({ status: 400 })
})

test('the tree has an end to its depth', async () => {
  let parent = (await client.createTeam({ name: 'd1' })).path
  for (let depth = 2; depth <= 16; depth++) {
    parent = (await client.createTeam({ name: `d${depth}`, parent })).path
  }
  expect(await refusalOf(client.createTeam({ name: 'd17', parent }))).toMatchObject({
    message: 'The tree has at most 16 levels.',
  })
})

test('of many who make the same team at once one succeeds', async () => {
  const results = await Promise.allSettled(
    Array.from({ length: 10 }, () => client.createTeam({ name: 'contested' })),
  )
  expect(results.filter((each) => each.status === 'fulfilled')).toHaveLength(1)
})
