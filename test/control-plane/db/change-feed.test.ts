import { createLogger } from '@signalbox/sdk/node'
import { sql } from 'drizzle-orm'
import { afterAll, describe, expect, it } from 'vitest'
import {
  type Change,
  type ChangeEvent,
  type ChangeFeed,
  createChangeFeed,
} from '../../../control-plane/db/change-feed.ts'
import { connectDatabase } from '../../../control-plane/db/connect.ts'
import { createTestDatabase } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'

const url = await createTestDatabase()
const log = createLogger('test', 'silent')
const { db, close } = connectDatabase(url, log)
const feeds: ChangeFeed[] = []
afterAll(async () => {
  for (const feed of feeds) await feed.close()
  await close()
})

const openFeed = async (origin: string) => {
  const feed = await createChangeFeed({ url, origin, log })
  feeds.push(feed)
  const heard: ChangeEvent[] = []
  const unsubscribe = feed.subscribe((event) => heard.push(event))
  return { feed, heard, unsubscribe }
}
const ack = (environment: string): Change => ({ type: 'ack', organisationId: 'o', environment })

describe('the change feed', () => {
  it('tells other processes when the transaction commits, and never of one that does not', async () => {
    const [here, there] = [await openFeed('a'), await openFeed('b')]
    await db
      .transaction(async (tx) => {
        await here.feed.announce(tx, ack('undone'))
        throw new Error('undo')
      })
      .catch(() => undefined)
    await db.transaction(async (tx) => {
      await here.feed.announce(tx, ack('done'))
      expect(there.heard).toEqual([])
    })
    await eventually(() => expect(there.heard).toEqual([ack('done')]))
    // What a process has announced itself it tells with `emit`, at once; it must not hear of it twice.
    expect(here.heard).toEqual([])
    here.feed.emit(ack('done'))
    expect(here.heard).toEqual([ack('done')])
    here.unsubscribe()
    here.feed.emit(ack('later'))
    expect(here.heard).toHaveLength(1)
  })

  it('listens again after its connection is lost, and says that changes may have been missed', async () => {
    const { feed, heard } = await openFeed('c')
    const speaker = await openFeed('d')
    await db.execute(sql`select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'signalbox-change-feed' and datname = current_database()`)
    await eventually(() => expect(heard).toContainEqual({ type: 'resync' }))
    await speaker.feed.announce(db, ack('again'))
    await eventually(() => expect(heard.at(-1)).toEqual(ack('again')))
    await feed.close()
  })
})
