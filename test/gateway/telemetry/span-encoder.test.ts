import { type Attributes, createTraceState } from '@opentelemetry/api'
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { describe, expect, it } from 'vitest'
import { EndedSpan, type SpanOrigin, spansOf } from '../../../gateway/telemetry/call-spans.ts'
import { encodeTraceRequest, SpanEncoder } from '../../../gateway/telemetry/span-encoder.ts'
import { finishedCall } from './finished-call.ts'

const origin: SpanOrigin = {
  resource: resourceFromAttributes({ 'service.name': 'gateway', 'process.pid': 12, 'host.tags': ['a', 'ü'] }),
  scope: { name: 'signalbox', version: '1', schemaUrl: 'https://opentelemetry.io/schemas/1.41.0' },
}
const traceId = '0af7651916cd43dd8448eb211c80319c'
const spanId = 'b7ad6b7169203331'

function span(
  attributes: Attributes,
  change: Partial<ConstructorParameters<typeof EndedSpan>[0]> = {},
): EndedSpan {
  return new EndedSpan({
    name: 'span',
    kind: 1,
    context: { traceId, spanId, traceFlags: 1 },
    parent: undefined,
    startMs: 1_800_000_000_000.123,
    endMs: 1_800_000_000_001,
    attributes,
    status: { code: 0 },
    links: [],
    origin,
    ...change,
  })
}

/** The library's own serialiser is the oracle. */
function expectSame(spans: EndedSpan[], from: SpanOrigin = origin): void {
  const encoder = new SpanEncoder()
  for (const each of spans) encoder.add(each)
  const ours = encodeTraceRequest(encoder.take(), from)
  const theirs = Buffer.from(ProtobufTraceSerializer.serializeRequest(spans) ?? [])
  expect(ours.toString('hex')).toBe(theirs.toString('hex'))
}

describe('encoded spans are byte for byte what the library makes of them', () => {
  const around = {
    origin,
    conventions: '1.41' as const,
    upstreamOf: () => ({ provider: 'openai', address: 'api.openai.com', port: 443 }),
    parseTraceState: createTraceState,
  }

  it('for calls, continued, linked and denied', () => {
    const parent = { traceId, spanId, traceState: 'vendor=1,other=2' }
    expectSame([
      ...spansOf(finishedCall(), around),
      ...spansOf(finishedCall({}, {}, { parent: { ...parent, sampled: true }, traceId }), around),
      ...spansOf(finishedCall({}, {}, { parent: { ...parent, sampled: false } }), around),
      ...spansOf(finishedCall({ status: 503, effect: 'error', errorCode: 'policy_timeout' }), around),
    ])
  })

  it('for every kind of value, at every length of a length', () => {
    const texts = [0, 1, 23, 24, 25, 127, 128, 129, 16_383, 16_384, 70_000].map((length) =>
      'x'.repeat(length),
    )
    for (const text of texts) expectSame([span({ text })])
    for (const text of ['ü', 'aü'.repeat(100), '日本', '🚂'.repeat(50), '\ud800', 'tab\tend\u0000'])
      expectSame([span({ text })])
    for (const number of [
      0,
      1,
      127,
      128,
      16_384,
      2 ** 31,
      2 ** 32 + 5,
      2 ** 53 - 1,
      -1,
      -(2 ** 40),
      0.1,
      43.25,
      -0,
    ]) {
      expectSame([span({ number })])
    }
    expectSame([span({ yes: true, no: false })])
    expectSame([span({ none: [], texts: ['a', 'ü', ''], numbers: [1, 2.5, -3], flags: [true, false] })])
    expectSame([span({ ['n'.repeat(130)]: 'long name' }), span({})])
  })

  it('for names, states, times and messages of all lengths', () => {
    for (const name of ['', 'n', 'ü'.repeat(40), 'n'.repeat(300)]) expectSame([span({}, { name })])
    for (const message of ['', 'reset', 'm'.repeat(200)])
      expectSame([span({}, { status: { code: 2, message } })])
    for (const startMs of [
      0, 999.999, 1_700_000_000_000, 4_294_967_295_999, 18_000_000_000_000, 253_402_300_799_000,
    ]) {
      expectSame([span({}, { startMs, endMs: startMs + 0.5 })])
    }
    const long = createTraceState(Array.from({ length: 20 }, (_, index) => `key${index}=value`).join())
    expectSame([span({}, { context: { traceId, spanId, traceFlags: 1, traceState: long } })])
  })

  it('for origins that say little', () => {
    const bare: SpanOrigin = { resource: resourceFromAttributes({}), scope: { name: 'signalbox' } }
    expectSame([span({}, { origin: bare })], bare)
  })

  it('for more spans than its first buffer holds', () => {
    expectSame(Array.from({ length: 400 }, (_, index) => span({ index, text: 'y'.repeat(900) })))
  })
})
