import { resourceFromAttributes } from '@opentelemetry/resources'
import { describe, expect, it } from 'vitest'
import { type EndedSpan, spansOf } from '../../../gateway/telemetry/call-spans.ts'
import { SpanQueue } from '../../../gateway/telemetry/span-queue.ts'
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
  const batches: { spans: EndedSpan[]; done: (arrived: boolean) => void }[] = []
  return {
    batches,
    send: (batch: EndedSpan[], done: (arrived: boolean) => void) => void batches.push({ spans: batch, done }),
  }
}

describe('the span queue', () => {
  it('sends full batches at once and the rest after a while', async () => {
    const { batches, send } = slowCollector()
    const queue = new SpanQueue({ lengthMax: 100, batchLengthMax: 6, delayMs: 20 })
    queue.connect(send)
    for (let call = 0; call < 3; call++) queue.add(spans())
    expect(batches.map((batch) => batch.spans.length)).toEqual([6])
    await eventually(() => expect(batches.map((batch) => batch.spans.length)).toEqual([6, 3]))
    for (const { done } of batches) done(true)
    expect(queue).toMatchObject({ exported: 9, dropped: 0 })
  })

  it('drops and counts what finds no room while the collector is slow, whole calls at a time', () => {
    const { batches, send } = slowCollector()
    const queue = new SpanQueue({ lengthMax: 10, batchLengthMax: 3, delayMs: 1000 })
    queue.connect(send)
    for (let call = 0; call < 7; call++) queue.add(spans())
    expect(batches).toHaveLength(2)
    expect(queue.dropped).toBe(6)
    batches[0]?.done(true)
    expect(batches).toHaveLength(3)
  })

  it('counts what the collector would not take', () => {
    const { batches, send } = slowCollector()
    const queue = new SpanQueue({ lengthMax: 10, batchLengthMax: 3, delayMs: 1000 })
    queue.connect(send)
    queue.add(spans())
    batches[0]?.done(false)
    expect(queue).toMatchObject({ exported: 0, dropped: 3 })
  })

  it('keeps spans until it is connected, and sends all of them when it is flushed', async () => {
    const { batches, send } = slowCollector()
    const queue = new SpanQueue({ lengthMax: 100, batchLengthMax: 50, delayMs: 1000 })
    queue.add(spans())
    queue.connect(send)
    const flushed = queue.flush()
    expect(batches[0]?.spans).toHaveLength(3)
    batches[0]?.done(true)
    await flushed
    await queue.flush()
  })
})
