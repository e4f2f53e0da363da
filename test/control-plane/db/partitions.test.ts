import { createLogger } from '@signalbox/sdk/node'
import { Client } from 'pg'
import { afterAll, expect, test } from 'vitest'
import { connectDatabase } from '../../../control-plane/db/connect.ts'
import {
  createPartitions,
  keepPartitionsAhead,
  partitionDaysAhead,
} from '../../../control-plane/db/partitions.ts'
import { createTestDatabase } from '../../support/database.ts'

const databaseUrl = await createTestDatabase()
const log = createLogger('test', 'silent')
const { db, pool, close } = connectDatabase(databaseUrl, log)
afterAll(() => close())

async function partitions(): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(
    `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'record'::regclass order by 1`,
  )
  return rows.map((row) => row.name)
}

test('a day has one partition, whoever asks for it and however often', async () => {
  const timeMs = Date.UTC(2026, 0, 31, 23, 59, 59, 999)
  const makers = Array.from({ length: 4 }, () => createPartitions(db))
  await Promise.all(makers.map((each) => each.ensurePartition(timeMs)))
  await makers[0]?.ensurePartition(timeMs - 86_399_999)
  expect(await partitions()).toEqual(['record_20260131'])
  await makers[0]?.ensurePartition(timeMs + 1)
  expect(await partitions()).toEqual(['record_20260131', 'record_20260201'])
})

test('a partition holds the day in UTC, and has the indexes of the whole', async () => {
  const { rows } = await pool.query<{ bounds: string; indexes: number }>(
    `select pg_get_expr(c.relpartbound, c.oid) as bounds,
       (select count(*)::int from pg_index i where i.indrelid = c.oid) as indexes
     from pg_class c where c.relname = 'record_20260131'`,
  )
  expect(rows).toEqual([
    { bounds: `FOR VALUES FROM ('2026-01-31 00:00:00+00') TO ('2026-02-01 00:00:00+00')`, indexes: 6 },
  ])
})

test('neither waits for those who read or write other days nor holds them up', async () => {
  const reader = new Client({ connectionString: databaseUrl })
  await reader.connect()
  await reader.query('begin')
  await reader.query('select count(*) from record')
  await reader.query('lock table record in row exclusive mode')
  await createPartitions(db).ensurePartition(Date.UTC(2026, 5, 1))
  expect(await partitions()).toContain('record_20260601')
  await reader.query('rollback')
  await reader.end()
})

test('today and the days ahead are there before anybody needs them', async () => {
  const made = createPartitions(db)
  await made.ensureAhead(Date.UTC(2027, 11, 31, 12))
  const names = (await partitions()).filter((name) => name >= 'record_2027')
  expect(names).toEqual(['record_20271231', 'record_20280101', 'record_20280102', 'record_20280103'])
  expect(names).toHaveLength(partitionDaysAhead + 1)
  await keepPartitionsAhead(made, { nowMs: Date.now, log })()
})
