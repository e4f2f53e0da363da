import type { gatewayOperations, ReplyOf } from '@signalbox/sdk/contract'
import { createSealKeyPair, type SealKeyPair } from '@signalbox/sdk/node'
import { EventSourceParserStream } from 'eventsource-parser/stream'
import { v7 as newId } from 'uuid'
import { packSegment } from './segment-lines.ts'
import type { TestControlPlane } from './test-control-plane.ts'

type DocumentEvent = ReplyOf<(typeof gatewayOperations)['gatewayEvents']>

/** A gateway as its control plane sees it: the requests it sends, by hand. */
export interface TestGateway {
  readonly id: string
  readonly token: string
  readonly trustRoot: string
  readonly incarnation: string
  readonly keys: SealKeyPair
  request(path: string, init?: RequestInit): Promise<Response>
  hello(change?: { incarnation?: string; publicKey?: string }): Promise<Response>
  document(kind: string, headers?: Record<string, string>, signal?: AbortSignal): Promise<Response>
  blob(digest: string): Promise<Response>
  ack(kind: string, sequence: number, error?: string): Promise<Response>
  segment(
    segment: { bytes: Uint8Array; digest: string },
    query: { records: number; previous?: string; incarnation?: string },
  ): Promise<Response>
  /** Events as they come in, until `stop`. Resolves once the stream is open. */
  events(): Promise<{ readonly received: DocumentEvent[]; stop(): Promise<void> }>
}

/** Reads server-sent events of a response into `received` until it ends. */
export async function readEvents<T>(response: Response, received: T[]): Promise<void> {
  if (response.body === null) throw new Error('the response has no body')
  const events = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream())
  try {
    for await (const event of events) received.push(JSON.parse(event.data) as T)
  } catch (error) {
    if (!(error instanceof Error && error.name === 'AbortError')) throw error
  }
}

export async function enrolGateway(
  controlPlane: TestControlPlane,
  environment: string,
  via: TestControlPlane = controlPlane,
): Promise<TestGateway> {
  const { id, token, trustRoot } = await controlPlane.client.enrollGateway({ environment })
  const keys = await createSealKeyPair()
  const incarnation = newId()
  const json = { 'content-type': 'application/json' }
  const request = (path: string, init: RequestInit = {}) =>
    fetch(`${via.url}/v1/gateway${path}`, {
      ...init,
      headers: { authorization: `Bearer ${token}`, ...init.headers },
    })
  const post = (path: string, body: object) =>
    request(path, { method: 'POST', headers: json, body: JSON.stringify(body) })
  return {
    ...{ id, token, trustRoot, incarnation, keys, request },
    hello: (change = {}) =>
      post('/hello', { incarnation, publicKey: keys.publicKey, software: 'test-gateway/1', ...change }),
    document: (kind, headers = {}, signal = AbortSignal.timeout(30_000)) =>
      request(`/documents/${kind}`, { headers, signal }),
    blob: (digest) => request(`/blobs/${encodeURIComponent(digest)}`),
    ack: (kind, sequence, error) =>
      post('/acks', {
        incarnation,
        kind,
        sequence,
        ...(error === undefined ? { result: 'active' } : { result: 'rejected', error }),
      }),
    segment({ bytes, digest }, query) {
      const search = new URLSearchParams({ incarnation, ...query, records: String(query.records) })
      const headers = { 'content-type': 'application/octet-stream' }
      const path = `/segments/${encodeURIComponent(digest)}?${search}`
      return request(path, { method: 'PUT', headers, body: new Uint8Array(bytes) })
    },
    async events() {
      const received: DocumentEvent[] = []
      const stopping = new AbortController()
      const response = await request('/events', { signal: stopping.signal })
      if (response.status !== 200) throw new Error(`no events: ${response.status}`)
      const reading = readEvents(response, received)
      return {
        received,
        async stop() {
          stopping.abort()
          await reading
        },
      }
    },
  }
}

export { packSegment }
