import { createLogger } from '@signalbox/sdk/node'
import { sql } from 'drizzle-orm'
import { Client } from 'pg'
import { v7 as newId } from 'uuid'
import { afterAll, expect, test } from 'vitest'
import { connectDatabase } from '../../../control-plane/db/connect.ts'
import {
  describeFailure,
  isDatabaseUnavailable,
  isMalformedId,
  isUniqueViolation,
} from '../../../control-plane/db/errors.ts'
import { findOrganisation, insertOrganisation } from '../../../control-plane/stores/organisation.ts'
import { createTestDatabase } from '../../support/database.ts'

const databaseUrl = await createTestDatabase()
const log = createLogger('test', 'silent')
const { db, close } = connectDatabase(databaseUrl, log)
afterAll(() => close())

function failureOf(work: PromiseLike<unknown>): Promise<unknown> {
  return Promise.resolve(work).then(
    () => expect.fail('it did not fail'),
    (error: unknown) => error,
  )
}

test('a broken unique rule is known by its name', async () => {
  const row = { id: newId(), name: 'twice', createdMs: 1 }
  await insertOrganisation(db, row)
  const error = await failureOf(insertOrganisation(db, { ...row, id: newId() }))
  expect(isUniqueViolation(error)).toBe(true)
  expect(isUniqueViolation(error, 'organisation_name_unique')).toBe(true)
  expect(isUniqueViolation(error, 'another')).toBe(false)
  expect(isDatabaseUnavailable(error)).toBe(false)
})

test('an id that is no UUID names nothing; other wrong texts are our bugs', async () => {
  expect(isMalformedId(await failureOf(findOrganisation(db, 'nonsense')))).toBe(true)
  expect(isMalformedId(await failureOf(db.execute(sql`select ${'x'}::int`)))).toBe(false)
})

test('a lock that is held too long and a server that is away are told apart from answers', async () => {
  const holder = new Client({ connectionString: databaseUrl })
  await holder.connect()
  await holder.query('begin; lock table organisation')
  const waited = db.transaction(async (transaction) => {
    await transaction.execute(sql`set local lock_timeout = 50`)
    await findOrganisation(transaction, newId())
  })
  expect(isDatabaseUnavailable(await failureOf(waited))).toBe(true)
  await holder.end()
  const away = connectDatabase('postgres://nobody@127.0.0.1:1/none', log)
  expect(isDatabaseUnavailable(await failureOf(findOrganisation(away.db, newId())))).toBe(true)
  await away.close()
  expect(isDatabaseUnavailable(new Error('a bug'))).toBe(false)
})

test('a connection that is lost in the middle of a transaction is a server that is away', async () => {
  const lost = db.transaction(async (transaction) => {
    const { rows } = await transaction.execute(sql`select pg_backend_pid() as pid`)
    await db.execute(sql`select pg_terminate_backend(${Number(rows[0]?.pid)}::int)`)
    await transaction.execute(sql`select 1`)
  })
  // What is told is that the roll-back found no connection.
  expect(isDatabaseUnavailable(await failureOf(lost))).toBe(true)
})

test('the connection survives a statement that failed', async () => {
  await failureOf(db.execute(sql`select ${'x'}::int`))
  expect((await db.execute(sql`select 1 as one`)).rows).toEqual([{ one: 1 }])
})

test('what is logged of a failure holds the statement but none of its values', async () => {
  const failure = describeFailure(await failureOf(db.execute(sql`select ${'geheim'}::text, ${'abc'}::int`)))
  expect(failure).toMatchObject({ sqlState: '22P02', statement: 'select $1::text, $2::int' })
  expect(JSON.stringify(failure)).not.toContain('geheim')
  expect(describeFailure('text')).toEqual({ message: 'text' })
})

test('a connection that broke under a transaction is a database that is away, whatever is said of it afterwards', async () => {
  const client = new Client({ connectionString: databaseUrl })
  client.on('error', () => undefined)
  await client.connect()
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
  await db.execute(sql`select pg_terminate_backend(${rows[0]?.pid ?? 0})`)
  const first = await failureOf(client.query('select pg_sleep(1)'))
  const second = await failureOf(client.query('rollback'))
  const third = await failureOf(client.query('rollback'))
  expect(String(third)).toContain('not queryable')
  expect([first, second, third].map(isDatabaseUnavailable)).toEqual([true, true, true])
  await client.end().catch(() => undefined)
})
