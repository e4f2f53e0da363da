import { digestOf } from '@signalbox/sdk/node'
import { afterAll, describe, expect, it } from 'vitest'
import { followBacklogMax } from '../../control-plane/record-feed.ts'
import { createTestDatabase } from '../support/database.ts'
import { startTestPublishing } from './documents/test-publishing.ts'

const publishing = await startTestPublishing(await createTestDatabase())
const { changes, recordFeed, organisationId } = publishing
afterAll(() => publishing.stop())

const announce = (count: number, to = organisationId) => {
  for (let index = 0; index < count; index++) {
    changes.emit({ type: 'records', organisationId: to, segment: digestOf(`${index}`), fromMs: 0, toMs: 1 })
  }
}
/** Starts to follow, and gives when it ends. */
const follow = (signal: AbortSignal) => {
  const rows = recordFeed.follow(organisationId, async () => ({}), signal)[Symbol.asyncIterator]()
  return rows.next()
}

describe('following records', () => {
  it('ends for a reader that is too far behind, instead of holding ever more', async () => {
    const next = follow(new AbortController().signal)
    announce(followBacklogMax + 1)
    expect(await next).toEqual({ done: true, value: undefined })
  })

  it('goes on for a reader that keeps up, and knows nothing of other organisations', async () => {
    const stopping = new AbortController()
    const next = follow(stopping.signal)
    announce(followBacklogMax * 2, '01990000-0000-7000-8000-0000000000cc')
    announce(followBacklogMax - 1)
    const early = await Promise.race([
      next,
      new Promise((resolve) => setTimeout(resolve, 50, 'still following')),
    ])
    expect(early).toBe('still following')
    stopping.abort()
    expect(await next).toMatchObject({ done: true })
  })
})
