import { createLogger } from '@signalbox/sdk/node'
import fc from 'fast-check'
import { v7 as newId } from 'uuid'
import { afterAll, expect, test } from 'vitest'
import { connectDatabase } from '../../../control-plane/db/connect.ts'
import { createTestDatabase } from '../../support/database.ts'
import { playSchedule, schedules } from './play-schedule.ts'
import { ComparedLedger, PostgresLedger } from './postgres-ledger.ts'

const { db, close } = connectDatabase(await createTestDatabase(), createLogger('test', 'silent'))
afterAll(close)

test('PostgreSQL keeps the rules and says what the model says, whatever the schedule', async () => {
  const property = fc.asyncProperty(schedules(80), async (steps) => {
    const ledger = new ComparedLedger(await new PostgresLedger(db).create())
    await playSchedule(ledger, steps)
    await ledger.real.reconcile()
  })
  await fc.assert(property, { seed: 20261122, numRuns: 12, interruptAfterTimeLimit: 8000 })
})

test('200 keys that ask at once never get more than there is, nor less', async () => {
  const ledger = await new PostgresLedger(db).create()
  ledger.setClock(Date.UTC(2026, 2, 1, 12))
  await ledger.hello(0, 1)
  const wishes = Array.from({ length: 200 }, () => ({
    ...{ lease: newId(), gateway: 0, run: 1, path: 'key' as const, need: 7, want: 7 },
  }))
  const granted = await Promise.all(wishes.map((wish) => ledger.grant(wish)))
  expect(granted.filter((each) => each > 0)).toHaveLength(Math.floor(300 / 7))
  const balances = [...(await ledger.balances()).values()].map(({ limit, leased }) => [limit, leased])
  expect(balances.sort()).toEqual([
    [1000, 294],
    [300, 294],
    [500, 294],
  ])
  await ledger.reconcile()
})
