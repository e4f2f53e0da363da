import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { bytesIn, type Fields, hexIn, messagesIn, numberIn, readMessage, textIn } from './protobuf.ts'

export type AttributeValue = string | number | boolean | AttributeValue[] | undefined
export interface ReceivedSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string
  readonly traceState: string
  readonly name: string
  /** 1 internal, 2 server, 3 client. */
  readonly kind: number
  readonly startMs: number
  readonly endMs: number
  readonly attributes: Readonly<Record<string, AttributeValue>>
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[]
  /** 0 unset, 1 ok, 2 error. */
  readonly status: number
  readonly resource: Readonly<Record<string, AttributeValue>>
  readonly schemaUrl: string
}

function anyValue(value: Fields): AttributeValue {
  if (value.has(1)) return textIn(value, 1)
  if (value.has(2)) return numberIn(value, 2) === 1
  if (value.has(3)) return numberIn(value, 3)
  if (value.has(4)) return bytesIn(value, 4).readDoubleLE()
  return value.has(5) ? messagesIn(readMessage(bytesIn(value, 5)), 1).map(anyValue) : undefined
}

function attributesIn(fields: Fields, number: number): Record<string, AttributeValue> {
  return Object.fromEntries(
    messagesIn(fields, number).map((each) => [textIn(each, 1), anyValue(readMessage(bytesIn(each, 2)))]),
  )
}

/** opentelemetry/proto/trace/v1/trace.proto. */
function decodeSpans(body: Buffer): ReceivedSpan[] {
  return messagesIn(readMessage(body), 1).flatMap((resourceSpans) => {
    const resource = attributesIn(readMessage(bytesIn(resourceSpans, 1)), 1)
    return messagesIn(resourceSpans, 2).flatMap((scope) =>
      messagesIn(scope, 2).map((span) => ({
        traceId: hexIn(span, 1),
        spanId: hexIn(span, 2),
        traceState: textIn(span, 3),
        parentSpanId: hexIn(span, 4),
        name: textIn(span, 5),
        kind: numberIn(span, 6),
        startMs: numberIn(span, 7) / 1e6,
        endMs: numberIn(span, 8) / 1e6,
        attributes: attributesIn(span, 9),
        links: messagesIn(span, 13).map((link) => ({ traceId: hexIn(link, 1), spanId: hexIn(link, 2) })),
        status: numberIn(readMessage(bytesIn(span, 15)), 3),
        resource,
        schemaUrl: textIn(scope, 3),
      })),
    )
  })
}

/** opentelemetry/proto/metrics/v1/metrics.proto: names alone. */
function decodeMetricNames(body: Buffer): string[] {
  return messagesIn(readMessage(body), 1)
    .flatMap((resource) => messagesIn(resource, 2))
    .flatMap((scope) => messagesIn(scope, 2))
    .map((metric) => textIn(metric, 1))
}

/** A collector: takes OTLP over HTTP with protobuf bodies. */
export class OtlpReceiver {
  readonly spans: ReceivedSpan[] = []
  readonly metricNames = new Set<string>()
  readonly headers: Readonly<Record<string, string | string[] | undefined>>[] = []
  /** Requests are never answered. */
  hangs = false
  readonly #server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      if (this.hangs) return
      this.headers.push(request.headers)
      const body = Buffer.concat(chunks)
      if (request.url === '/v1/traces') this.spans.push(...decodeSpans(body))
      if (request.url === '/v1/metrics')
        for (const name of decodeMetricNames(body)) this.metricNames.add(name)
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end()
    })
  })

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return this
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
