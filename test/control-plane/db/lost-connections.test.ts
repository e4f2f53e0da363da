import { createLogger } from '@signalbox/sdk/node'
import { sql } from 'drizzle-orm'
import { expect, it } from 'vitest'
import { connectDatabase, databaseLimits } from '../../../control-plane/db/connect.ts'
import { openLine } from '../../support/cuttable-line.ts'
import { createTestDatabase } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'

const url = new URL(await createTestDatabase())

it('connections that are lost as transactions begin are given back: the next ones work, and the pool closes', async () => {
  const line = await openLine({ host: url.hostname, port: Number(url.port) })
  const through = new URL(url)
  through.port = String(line.port)
  const { db, pool, close } = connectDatabase(through.href, createLogger('test', 'silent'))
  const all = Array.from({ length: databaseLimits.connectionsMax })
  await Promise.all(all.map(() => db.execute(sql`select pg_sleep(0.1)`)))
  expect(pool.idleCount).toBe(databaseLimits.connectionsMax)
  line.cut()
  const begun = await Promise.allSettled(all.map(() => db.transaction((tx) => tx.execute(sql`select 1`))))
  expect(new Set(begun.map(({ status }) => status))).toEqual(new Set(['rejected']))
  await eventually(() => expect(pool.totalCount).toBe(0))
  line.mend()
  const found = await db.transaction((tx) => tx.execute(sql`select 1 as one`))
  expect(found.rows).toEqual([{ one: 1 }])
  await close()
  expect(pool.totalCount).toBe(0)
  await line.close()
})
