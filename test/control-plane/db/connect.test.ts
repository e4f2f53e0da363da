import { setTimeout as wait } from 'node:timers/promises'
import { createLogger } from '@signalbox/sdk/node'
import { sql } from 'drizzle-orm'
import { afterAll, expect, test } from 'vitest'
import { connectDatabase } from '../../../control-plane/db/connect.ts'
import { createTestDatabase } from '../../support/database.ts'

const { db, close } = connectDatabase(await createTestDatabase(), createLogger('test', 'silent'))
afterAll(close)

test('a connection that is lost in the middle of a transaction fails it, and not the program', async () => {
  const uncaught: unknown[] = []
  const note = (error: unknown): void => void uncaught.push(error)
  process.prependListener('uncaughtException', note)
  const failed = db.transaction(async (tx) => {
    const { rows } = await tx.execute<{ pid: number }>(sql`select pg_backend_pid() as pid`)
    await db.execute(sql`select pg_terminate_backend(${rows[0]?.pid})`)
    // The loss is heard of while nothing is asked.
    await wait(200)
    await tx.execute(sql`select 1`)
  })
  await expect(failed).rejects.toThrow()
  expect(uncaught).toEqual([])
  process.removeListener('uncaughtException', note)
  expect((await db.execute(sql`select 1 as one`)).rows).toEqual([{ one: 1 }])
})
