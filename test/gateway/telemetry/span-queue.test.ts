import { resourceFromAttributes } from '@opentelemetry/resources'
import { describe, expect, it } from 'vitest'
import { type EndedSpan, spansOf } from '../../../gateway/telemetry/call-spans.ts'
import { type SendSpans, type SpanBatch, SpanQueue } from '../../../gateway/telemetry/span-queue.ts'
import { eventually } from '../../support/eventually.ts'
import { finishedCall } from './finished-call.ts'

const spans = (): EndedSpan[] =>
  spansOf(finishedCall(), {
    origin: { resource: resourceFromAttributes({}), scope: { name: 'signalbox' } },
    conventions: '1.41',
    upstreamOf: () => ({ provider: 'openai', address: undefined, port: undefined }),
    parseTraceState: () => {
      throw new Error('these calls have no parents')
    },
  })

/** A collector that answers when it is told to. */
function slowCollector() {
  const batches: { batch: SpanBatch; done: (arrived: boolean) => void }[] = []
  const send: SendSpans = (batch, done) => void batches.push({ batch, done })
  return { batches, send, sizes: () => batches.map(({ batch }) => batch.spans) }
}

describe('the span queue', () => {
  it('sends full batches at once and the rest after a while', async () => {
    const { batches, send, sizes } = slowCollector()
    const queue = new SpanQueue({ lengthMax: 100, batchLengthMax: 6, delayMs: 20 }, send)
    for (let call = 0; call < 3; call++) queue.add(spans())
    expect(sizes()).toEqual([6])
    await eventually(() => expect(sizes()).toEqual([6, 3]))
    for (const { done } of batches) done(true)
    expect(queue).toMatchObject({ exported: 9, dropped: 0 })
  })

  it('drops and counts what finds no room while the collector is slow, whole calls at a time', () => {
    const { batches, send } = slowCollector()
    const queue = new SpanQueue({ lengthMax: 10, batchLengthMax: 3, delayMs: 1000 }, send)
    for (let call = 0; call < 7; call++) queue.add(spans())
    expect(batches).toHaveLength(2)
    expect(queue.dropped).toBe(6)
    batches[0]?.done(true)
    expect(batches).toHaveLength(3)
  })

  it('counts what the collector would not take', () => {
    const { batches, send } = slowCollector()
    const queue = new SpanQueue({ lengthMax: 10, batchLengthMax: 3, delayMs: 1000 }, send)
    queue.add(spans())
    batches[0]?.done(false)
    expect(queue).toMatchObject({ exported: 0, dropped: 3 })
  })

  it('sends all that waits when it is flushed, however slow the collector', async () => {
    const { batches, send, sizes } = slowCollector()
    const queue = new SpanQueue({ lengthMax: 100, batchLengthMax: 6, delayMs: 1000 }, send)
    for (let call = 0; call < 7; call++) queue.add(spans())
    const flushed = queue.flush()
    expect(sizes()).toEqual([6, 6, 6, 3])
    for (const { done } of batches) done(true)
    await flushed
    await queue.flush()
  })
})
