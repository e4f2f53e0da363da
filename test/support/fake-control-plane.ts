import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { zstdDecompressSync } from 'node:zlib'
import type { CallRecord, DocumentKind, Envelope, GapRecord } from '@signalbox/sdk/contract'
import { digestOf, signDocument } from '@signalbox/sdk/node'
import { MemoryLedger } from './memory-ledger.ts'
import {
  type Authority,
  Blobs,
  createAuthority,
  environment,
  gatewayId,
  organisationId,
} from './signed-documents.ts'

export interface ReceivedAck {
  readonly incarnation: string
  readonly kind: DocumentKind
  readonly sequence: number
  readonly result: 'active' | 'rejected'
  readonly error?: string
  readonly connections?: Readonly<Record<string, string>>
}
export interface ReceivedSegment {
  readonly digest: string
  readonly incarnation: string
  readonly previous: string | null
  readonly records: number
  readonly lines: readonly (CallRecord | GapRecord)[]
}
interface Offered {
  readonly text: string
  readonly sequence: number
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/**
 * The gateway's side of a control plane, over a real socket: documents, blobs, events, acknowledgements, segments. What
 * it should do wrong is switched on by its members.
 */
export class FakeControlPlane {
  readonly authority: Authority = createAuthority()
  readonly token = 'sbg_000000000000000000000000_test00'
  readonly blobs = new Blobs()
  readonly hellos: Readonly<Record<string, unknown>>[] = []
  readonly acks: ReceivedAck[] = []
  readonly segments: ReceivedSegment[] = []
  readonly ledger = new MemoryLedger()
  readonly requests: string[] = []
  /** Event streams are answered with this status. */
  eventsStatus = 200
  /** Segments are answered with this status. */
  segmentStatus = 200
  /** Long polls are answered at once. */
  holdsPolls = true
  environment = environment
  readonly #offered = new Map<DocumentKind, Offered>()
  readonly #streams = new Set<ServerResponse>()
  readonly #sockets = new Set<Socket>()
  readonly #waiting = new Set<() => void>()
  #server: Server | undefined
  #port = 0

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  /** Listens; on the port of before after a `stop`. */
  async start(): Promise<this> {
    const server = createServer((request, response) => {
      this.#answer(request, response).catch(() => response.destroy())
    })
    server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
    server.listen(this.#port, '127.0.0.1')
    await once(server, 'listening')
    this.#port = (server.address() as AddressInfo).port
    this.#server = server
    if (!this.#offered.has('root')) this.offerText('root', JSON.stringify(this.authority.rootEnvelope), 1)
    return this
  }

  /** Goes away as a killed process does. */
  async stop(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    this.#streams.clear()
    for (const wake of this.#waiting) wake()
    for (const socket of this.#sockets) socket.destroy()
    if (server !== undefined) await new Promise((resolve) => server.close(resolve))
  }

  /** Signs a document with the release key and offers it. */
  offer(document: { type: string; sequence: number }, keys = [this.authority.releaseKey]): Envelope {
    const kind = document.type === 'release/1' ? 'release' : 'state'
    const envelope = signDocument(document, 'release', keys)
    this.offerText(kind, JSON.stringify(envelope), document.sequence)
    return envelope
  }

  /** Roots by sequence, for who follows them one by one. */
  readonly roots = new Map<number, string>()

  /** Offers any text as the newest document of a kind. */
  offerText(kind: DocumentKind, text: string, sequence: number): void {
    this.#offered.set(kind, { text, sequence })
    for (const stream of this.#streams) this.#sendEvent(stream, kind, sequence)
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
  }

  #sendEvent(stream: ServerResponse, kind: DocumentKind, sequence: number): void {
    stream.write(`event: document\ndata: ${JSON.stringify({ kind, sequence })}\n\n`)
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', this.url)
    this.requests.push(`${request.method} ${url.pathname}`)
    if (request.headers.authorization !== `Bearer ${this.token}`)
      return this.#fail(response, 401, 'key_invalid')
    const [, , , place, name] = url.pathname.split('/')
    const body = await bodyOf(request)
    if (place === 'hello') return this.#hello(response, body)
    if (place === 'documents') return await this.#document(request, response, name as DocumentKind)
    if (place === 'events') return this.#events(response)
    if (place === 'blobs') return this.#blob(response, decodeURIComponent(name ?? ''))
    if (place === 'leases')
      return this.#reply(response, await this.ledger.lease(JSON.parse(body.toString('utf8'))))
    if (place === 'settlements')
      return this.#reply(response, await this.ledger.settle(JSON.parse(body.toString('utf8'))))
    if (place === 'segments')
      return this.#segment(response, { url, body, digest: decodeURIComponent(name ?? '') })
    if (place !== 'acks') return this.#fail(response, 404, 'route_not_found')
    this.acks.push(JSON.parse(body.toString('utf8')) as ReceivedAck)
    this.#reply(response, { ok: true })
  }

  #reply(response: ServerResponse, value: unknown): void {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
  }

  #fail(response: ServerResponse, status: number, code: string): void {
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ error: { code, message: code, requestId: 'r' } }))
  }

  #hello(response: ServerResponse, body: Buffer): void {
    this.hellos.push(JSON.parse(body.toString('utf8')))
    this.#reply(response, {
      gatewayId,
      organisationId,
      environment: this.environment,
      serverTimeMs: Date.now(),
    })
  }

  async #document(request: IncomingMessage, response: ServerResponse, kind: DocumentKind): Promise<void> {
    const wanted = new URL(request.url ?? '', this.url).searchParams.get('sequence')
    const root = wanted === null ? undefined : this.roots.get(Number(wanted))
    if (root !== undefined) {
      response.setHeader('content-type', 'application/json').end(root)
      return
    }
    const current = () => {
      const offered = this.#offered.get(kind)
      return offered === undefined ? undefined : { ...offered, etag: `"${kind}-${offered.sequence}"` }
    }
    const known = request.headers['if-none-match']
    if (request.headers.prefer !== undefined && this.holdsPolls && current()?.etag === known) {
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve)
        response.on('close', resolve)
      })
    }
    const offered = current()
    if (offered === undefined) return this.#fail(response, 404, 'not_found')
    if (offered.etag === known) {
      response.writeHead(304, { etag: offered.etag }).end()
      return
    }
    response.writeHead(200, { 'content-type': 'application/json', etag: offered.etag }).end(offered.text)
  }

  #events(response: ServerResponse): void {
    if (this.eventsStatus !== 200) {
      this.#fail(response, this.eventsStatus, 'route_not_found')
      return
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('retry: 2000\n\n')
    this.#streams.add(response)
    response.on('close', () => this.#streams.delete(response))
    for (const [kind, { sequence }] of this.#offered) this.#sendEvent(response, kind, sequence)
  }

  #blob(response: ServerResponse, digest: string): void {
    const bytes = this.blobs.get(digest)
    if (bytes === undefined) this.#fail(response, 404, 'not_found')
    else response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(bytes)
  }

  #segment(response: ServerResponse, sent: { url: URL; body: Buffer; digest: string }): void {
    const status = digestOf(sent.body) === sent.digest ? this.segmentStatus : 400
    if (status !== 200) {
      this.#fail(response, status, 'invalid_request')
      return
    }
    const { searchParams } = sent.url
    const text = zstdDecompressSync(sent.body).toString('utf8')
    const lines = text.split('\n').filter((line) => line !== '')
    const stored = !this.segments.some((segment) => segment.digest === sent.digest)
    const segment = {
      digest: sent.digest,
      incarnation: searchParams.get('incarnation') ?? '',
      previous: searchParams.get('previous'),
      records: Number(searchParams.get('records')),
      lines: lines.map((line) => JSON.parse(line) as CallRecord | GapRecord),
    }
    if (stored) this.segments.push(segment)
    this.#reply(response, { stored, records: segment.records })
  }
}
