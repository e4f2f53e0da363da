import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { apiOperations, type OperationDefinition } from '@signalbox/sdk/contract'
import { type AuditRow, hashAuditRow } from '@signalbox/sdk/node'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase } from '../../support/database.ts'
import { refusalOf, startAccessPlane } from '../access-plane.ts'

const databaseUrl = await createTestDatabase()
const plane = await startAccessPlane(databaseUrl)
const { client } = plane
const owner = new Client({ connectionString: databaseUrl })

beforeAll(async () => {
  await owner.connect()
  for (const name of ['a', 'b', 'c', 'd', 'e']) await client.createTeam({ name })
})
afterAll(async () => {
  await owner.end()
  await plane.stop()
})

/** Does what only the owner of the tables can, looks, and undoes it. */
async function tamper<T>(text: string, look: () => Promise<T>): Promise<T> {
  await owner.query('create table kept as select * from audit')
  await owner.query('alter table audit disable trigger append_only')
  try {
    await owner.query(text)
    return await look()
  } finally {
    await owner.query('delete from audit')
    await owner.query('insert into audit select * from kept')
    await owner.query('drop table kept')
    await owner.query('alter table audit enable trigger append_only')
  }
}

test('an audit log as it was written is whole, and its head is its newest row', async () => {
  const [newest] = (await client.listAudit({ limit: 1 })).items
  const verified = await client.verifyAudit({})
  expect(verified).toMatchObject({ broken: null, continues: null, segments: 0, brokenSegments: [] })
  expect(verified.head).toEqual({ sequence: newest?.sequence, hash: newest?.hash })
  expect(verified.rows).toBe(newest?.sequence)
  const again = await client.verifyAudit({ sequence: newest?.sequence ?? 0, hash: newest?.hash ?? '' })
  expect(again.continues).toBe(true)
})

test.each([
  ['a changed row', `update audit set actor = 'nobody' where sequence = 3`, 3],
  ['a changed detail', `update audit set detail = '{"name":"other"}' where sequence = 4`, 4],
  ['a removed row', 'delete from audit where sequence = 3', 3],
  [
    'a removed row whose followers were moved up',
    'delete from audit where sequence = 3; update audit set sequence = sequence + 99 where sequence > 3; update audit set sequence = sequence - 100 where sequence > 100',
    3,
  ],
  [
    'an inserted row',
    `update audit set sequence = sequence + 100 where sequence > 3;
     insert into audit select organisation_id, 4, time, actor, action, object, detail, hash, repeat('0', 64) from audit where sequence = 3;
     update audit set sequence = sequence - 99 where sequence > 100`,
    4,
  ],
])('%s is found', async (_, text, at) => {
  const { broken } = await tamper(text, () => client.verifyAudit({}))
  expect(broken).toBe(at)
})

test('an end that was cut off is found by whoever kept the head', async () => {
  const { head } = await client.verifyAudit({})
  const cut = await tamper(`delete from audit where sequence = ${head?.sequence}`, () =>
    client.verifyAudit({ sequence: head?.sequence ?? 0, hash: head?.hash ?? '' }),
  )
  expect(cut).toMatchObject({ broken: null, continues: false })
})

test('rows that are written anew with hashes that fit are found by whoever kept one', async () => {
  const rows = (await client.listAudit({ after: 0, limit: 1000 })).items
  const kept = rows.at(-1)
  let previousHash = '0'.repeat(64)
  const statements = rows.map((row): string => {
    const forged: AuditRow = { ...row, actor: row.sequence === 2 ? 'nobody' : row.actor, previousHash }
    previousHash = hashAuditRow(forged)
    return `update audit set actor = '${forged.actor}', previous_hash = '${forged.previousHash}', hash = '${previousHash}'
      where sequence = ${row.sequence};`
  })
  const forged = await tamper(statements.join('\n'), () =>
    client.verifyAudit({ sequence: kept?.sequence ?? 0, hash: kept?.hash ?? '' }),
  )
  expect(forged).toMatchObject({ broken: null, continues: false })
})

test.each([
  'audit',
  'transfer',
  'settlement',
  'settlement_void',
])('the database itself refuses to change, delete or empty %s', async (table) => {
  const statements = [
    `update ${table} set organisation_id = organisation_id`,
    `delete from ${table}`,
    `truncate ${table}`,
  ]
  for (const text of statements) {
    await expect(owner.query(text), text).rejects.toMatchObject({
      code: '42501',
      message: expect.stringContaining('append-only'),
    })
  }
})

test('the log is read by operation, by actor and from either end', async () => {
  const teams = (await client.listAudit({ action: 'createTeam' })).items
  expect(teams.map(({ action }) => action)).toEqual(Array.from({ length: 5 }, () => 'createTeam'))
  expect((await client.listAudit({ actor: 'nobody' })).items).toEqual([])
  const forward = (await client.listAudit({ after: 1, limit: 2 })).items
  expect(forward.map(({ sequence }) => sequence)).toEqual([2, 3])
  expect(await refusalOf(client.listAudit({ after: 1, before: 3 }))).toMatchObject({
    code: 'invalid_request',
  })
})

/** What people ask that changes nothing which lasts. */
const changesNothing = new Set(['previewBudget', 'renderPrompt', 'tryFiles', 'tryVersion', 'testWebhook'])

test('every operation that changes something writes an audit row under its own name', () => {
  const root = fileURLToPath(new URL('../../../control-plane/', import.meta.url))
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  const source = files
    .filter((file) => file.endsWith('.ts') && !file.includes('node_modules'))
    .map((file) => readFileSync(`${root}${file}`, 'utf8'))
    .join('\n')
  const changing = Object.values(apiOperations).filter(
    ({ method, role, id }: OperationDefinition) =>
      method !== 'GET' && (role === 'admin' || role === 'member') && !changesNothing.has(id),
  )
  const silent = changing.filter(
    ({ id }) =>
      !source.includes(`action: '${id}'`) && !new RegExp(`[aA]udit\\w*\\([^)]*'${id}'`).test(source),
  )
  expect(silent.map(({ id }) => id)).toEqual([])
})
