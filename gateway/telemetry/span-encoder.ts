import type { HrTime, Link, SpanContext } from '@opentelemetry/api'
import {
  AttributeEncoder,
  bytesTag,
  fieldLength,
  fixed32Tag,
  fixed64Tag,
  numberTag,
} from './attribute-encoder.ts'
import type { EndedSpan, SpanOrigin } from './call-spans.ts'
import { ProtobufWriter, textLength, varintLength } from './protobuf-writer.ts'

/*
 * OTLP's protobuf, written straight into one buffer (opentelemetry/proto/trace/v1/trace.proto). Byte for byte what the
 * library's serialiser makes of the same spans, which a test compares. That one goes over every character twice when a
 * batch is sent: 20 to 40 µs a call, in pauses of milliseconds. Here a name is encoded once, lengths are known before
 * anything is written, and each call pays for its own spans when it ends.
 */
const firstBytes = 256 * 1024
const isRemoteKnown = 256
const isRemote = 512
const flagsMask = 255
const twoTo16 = 65_536
const twoTo32 = 4_294_967_296

function flagsOf(context: SpanContext, remote: boolean | undefined): number {
  return (context.traceFlags & flagsMask) | isRemoteKnown | (remote === true ? isRemote : 0)
}

/** Encodes spans one after the other, each as the field `spans` of a ScopeSpans message. */
export class SpanEncoder {
  readonly #out = new ProtobufWriter(firstBytes)
  readonly #attributes = new AttributeEncoder(this.#out)

  /** What was encoded since the last time. */
  take(): Buffer {
    return this.#out.take()
  }

  add(span: EndedSpan): void {
    const out = this.#out
    const context = span.spanContext()
    const parent = span.parentSpanContext
    out.ensure(128)
    out.byte(bytesTag(2))
    const start = out.begin()
    this.#ids(context)
    if (parent !== undefined) {
      out.byte(bytesTag(4))
      out.byte(8)
      out.hex(parent.spanId)
    }
    this.#text(5, span.name)
    out.byte(numberTag(6))
    out.varint(span.kind + 1)
    this.#time(7, span.startTime)
    this.#time(8, span.endTime)
    for (const name in span.attributes) {
      const value = span.attributes[name]
      if (value !== undefined) this.#attributes.add(9, name, value)
    }
    out.ensure(64)
    this.#zero(10)
    this.#zero(12)
    for (const link of span.links) this.#link(link)
    this.#zero(14)
    this.#status(span)
    out.varint(fixed32Tag(16))
    out.fixed32(flagsOf(context, parent?.isRemote))
    out.end(start)
  }

  /** Counts of what was dropped: nothing. */
  #zero(field: number): void {
    this.#out.byte(numberTag(field))
    this.#out.byte(0)
  }

  #text(field: number, text: string): void {
    const bytes = textLength(text)
    this.#out.ensure(bytes + 128)
    this.#out.byte(bytesTag(field))
    this.#out.varint(bytes)
    this.#out.text(text, bytes)
  }

  /** Trace, span and trace state: the first fields of spans and links. */
  #ids({ traceId, spanId, traceState }: SpanContext): void {
    const out = this.#out
    out.byte(bytesTag(1))
    out.byte(16)
    out.hex(traceId)
    out.byte(bytesTag(2))
    out.byte(8)
    out.hex(spanId)
    const state = traceState?.serialize() ?? ''
    if (state !== '') this.#text(3, state)
  }

  /** Nanoseconds since 1970, which no number holds exactly: in two halves. */
  #time(field: number, [seconds, nanoseconds]: HrTime): void {
    const fine = (seconds % twoTo16) * 1e9 + nanoseconds
    const coarse = Math.floor(seconds / twoTo16) * 1e9
    const low = (fine % twoTo32) + (coarse % twoTo16) * twoTo16
    const high = Math.floor(fine / twoTo32) + Math.floor(coarse / twoTo16) + Math.floor(low / twoTo32)
    this.#out.byte(fixed64Tag(field))
    this.#out.fixed64(low % twoTo32, high % twoTo32)
  }

  #link({ context }: Link): void {
    const out = this.#out
    out.ensure(128)
    out.byte(bytesTag(13))
    const start = out.begin()
    this.#ids(context)
    this.#zero(5)
    out.byte(fixed32Tag(6))
    out.fixed32(flagsOf(context, context.isRemote))
    out.end(start)
  }

  #status({ status }: EndedSpan): void {
    const message = status.message ?? ''
    const messageBytes = message === '' ? 0 : fieldLength(textLength(message))
    this.#out.ensure(messageBytes + 64)
    this.#out.byte(bytesTag(15))
    this.#out.varint(messageBytes + 2)
    if (message !== '') this.#text(2, message)
    this.#out.byte(numberTag(3))
    this.#out.varint(status.code)
  }
}

/** Puts encoded spans into a request: what they come from before them, the version of their names after them. */
export function encodeTraceRequest(spans: Buffer, { resource, scope }: SpanOrigin): Buffer {
  const scopeFields = [textField(1, scope.name), textField(2, scope.version)]
  const resourceFields = [resourceField(resource.attributes)]
  const scopeSpans = [bytesField(1, scopeFields), spans, textField(3, scope.schemaUrl)]
  const resourceSpans = [
    bytesField(1, resourceFields),
    bytesField(2, scopeSpans),
    textField(3, resource.schemaUrl),
  ]
  return bytesField(1, resourceSpans)
}

function resourceField(attributes: SpanOrigin['resource']['attributes']): Buffer {
  const out = new ProtobufWriter(1024)
  const encoder = new AttributeEncoder(out)
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) encoder.add(1, name, value)
  }
  out.ensure(2)
  out.byte(numberTag(2))
  out.byte(0)
  return out.take()
}

function textField(field: number, text: string | undefined): Buffer {
  return text === undefined || text === '' ? Buffer.alloc(0) : bytesField(field, [Buffer.from(text, 'utf8')])
}

function bytesField(field: number, parts: readonly Buffer[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const head = new ProtobufWriter(8)
  head.byte(bytesTag(field))
  head.varint(length)
  return Buffer.concat([head.take(), ...parts], 1 + varintLength(length) + length)
}
