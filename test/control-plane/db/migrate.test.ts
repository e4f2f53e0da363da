import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { getTableName, is } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { migrate } from 'drizzle-orm/node-postgres/migrator'
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core'
import { Client } from 'pg'
import { v7 as newId } from 'uuid'
import { expect, test } from 'vitest'
import { migrateDatabase } from '../../../control-plane/db/migrate.ts'
import * as schema from '../../../control-plane/db/schema.ts'
import { createEmptyDatabase, createTestDatabase } from '../../support/database.ts'

const migrationsFolder = fileURLToPath(new URL('../../../control-plane/db/migrations', import.meta.url))
const migratedUrl = await createTestDatabase()

async function query<T extends object>(url: string, text: string): Promise<T[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<T>(text)).rows
  } finally {
    await client.end()
  }
}

const tables: PgTable[] = Object.values(schema).flatMap((each) => (is(each, PgTable) ? [each] : []))

test('migrations make exactly the tables and columns of the schema', async () => {
  const rows = await query<{ table: string; column: string; required: boolean }>(
    migratedUrl,
    `select c.table_name as "table", c.column_name as "column", c.is_nullable = 'NO' as required
     from information_schema.columns c where c.table_schema = 'public'`,
  )
  const found = rows.map((row) => `${row.table}.${row.column} ${row.required}`).sort()
  const wanted = tables
    .flatMap((table) => {
      const { name, columns } = getTableConfig(table)
      return columns.map((column) => `${name}.${column.name} ${column.notNull}`)
    })
    .sort()
  expect(found).toEqual(wanted)
})

test('every table but the one of organisations carries the organisation', () => {
  const without = tables.filter((table) => {
    const { columns } = getTableConfig(table)
    return !columns.some((column) => column.name === 'organisation_id' && column.notNull)
  })
  expect(without.map(getTableName)).toEqual(['organisation'])
})

test('the indexes and checks of the schema are in the database', async () => {
  const rows = await query<{ name: string }>(
    migratedUrl,
    `select indexname as name from pg_indexes where schemaname = 'public'
     union select conname from pg_constraint where connamespace = 'public'::regnamespace`,
  )
  const found = new Set(rows.map((row) => row.name))
  const wanted = tables.flatMap((table) => {
    const { indexes, checks, uniqueConstraints, foreignKeys } = getTableConfig(table)
    return [
      ...indexes.map((each) => each.config.name ?? ''),
      ...checks.map((each) => each.name),
      ...uniqueConstraints.map((each) => each.getName() ?? ''),
      ...foreignKeys.map((each) => each.getName()),
    ]
  })
  expect(wanted.filter((name) => !found.has(name))).toEqual([])
})

test('a second migration changes nothing', async () => {
  const applied = `select count(*)::int as count from drizzle.__drizzle_migrations`
  const [before] = await query<{ count: number }>(migratedUrl, applied)
  await migrateDatabase(migratedUrl)
  const [after] = await query<{ count: number }>(migratedUrl, applied)
  expect(after).toEqual(before)
  expect(after?.count).toBeGreaterThan(0)
})

test('tokens of the first release keep what they could do, on the whole organisation', async () => {
  const url = await createEmptyDatabase()
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-migrations-'))
  cpSync(migrationsFolder, folder, { recursive: true })
  const journalFile = join(folder, 'meta', '_journal.json')
  const journal = JSON.parse(readFileSync(journalFile, 'utf8')) as { entries: unknown[] }
  writeFileSync(journalFile, JSON.stringify({ ...journal, entries: journal.entries.slice(0, 1) }))
  const client = new Client({ connectionString: url })
  await client.connect()
  await migrate(drizzle(client), { migrationsFolder: folder })
  const [organisation, root] = [newId(), newId()]
  await client.query(`insert into organisation values ('${organisation}', 'default', now())`)
  await client.query(
    `insert into node (id, organisation_id, kind, name, path, managed_by, created)
     values ('${root}', '${organisation}', 'organisation', 'default', '', 'api', now())`,
  )
  for (const [kind, role] of [
    ['root', 'admin'],
    ['token', 'admin'],
    ['token', 'member'],
  ]) {
    await client.query(
      `insert into token (id, organisation_id, name, role, kind, hash, created)
       values ('${newId()}', '${organisation}', '${kind} ${role}', '${role}', '${kind}', '${newId()}', now())`,
    )
  }
  await client.end()
  rmSync(folder, { recursive: true })
  await migrateDatabase(url)
  const rows = await query<{ name: string; role: string; node_id: string }>(
    url,
    'select name, role, node_id from token order by name',
  )
  expect(rows).toEqual([
    { name: 'root admin', role: 'owner', node_id: root },
    { name: 'token admin', role: 'admin', node_id: root },
    { name: 'token member', role: 'developer', node_id: root },
  ])
})

test('programs that migrate an empty database at once wait for each other', async () => {
  const url = await createEmptyDatabase()
  await Promise.all([1, 2, 3, 4].map(() => migrateDatabase(url)))
  const [row] = await query<{ count: number }>(
    url,
    `select count(*)::int as count from pg_tables where schemaname = 'public'`,
  )
  expect(row?.count).toBe(tables.length)
})

test('a migration that is killed half-way leaves nothing behind, and the next start makes it whole', async () => {
  const url = await createEmptyDatabase()
  const client = new Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  await drizzle(client).transaction(async (transaction) => {
    // Makes the migration wait in its middle: at the first constraint that it makes.
    await transaction.execute('lock table pg_catalog.pg_constraint in access exclusive mode')
    const migrating = migrateDatabase(url).catch((error: unknown) => error)
    await untilWaiting(migratedUrl)
    await query(
      migratedUrl,
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'signalbox-migrate'`,
    )
    expect(await migrating).toBeInstanceOf(Error)
  })
  await client.end()
  const [left] = await query<{ count: number }>(
    url,
    `select count(*)::int as count from pg_tables where schemaname = 'public'`,
  )
  expect(left?.count).toBe(0)
  await migrateDatabase(url)
  const [row] = await query<{ count: number }>(
    url,
    `select count(*)::int as count from pg_tables where schemaname = 'public'`,
  )
  expect(row?.count).toBe(tables.length)
})

async function untilWaiting(url: string): Promise<void> {
  for (;;) {
    const rows = await query(
      url,
      `select 1 from pg_stat_activity where application_name = 'signalbox-migrate' and wait_event_type = 'Lock'`,
    )
    if (rows.length > 0) return
  }
}
