import {
  apiOperations,
  type BodyOf,
  type DocumentKind,
  documentKinds,
  type ReplyOf,
} from '@signalbox/sdk/contract'
import { describeViolations, digestOf, fits, violationsOf } from '@signalbox/sdk/node'
import { type Static, type TSchema, Type } from 'typebox'
import { Agent, type Dispatcher, request } from 'undici'
import type {
  BatchLink,
  ClaimBody,
  ClaimReply,
  OpenBatchBody,
  OpenBatchReply,
  TellBody,
  TellReply,
} from '../batches/batch-link.ts'
import type {
  LeaseBody,
  LeaseReply,
  LedgerLink,
  PutAsideBody,
  SettleBody,
  SettleReply,
} from '../money/ledger-link.ts'
import { SseSplitter } from '../wire/sse.ts'
import { blobBytesMax } from './collect-blobs.ts'
import { ControlPlaneError, errorFrom } from './control-plane-error.ts'
import { Rejection } from './rejection.ts'

/** An envelope may be this large: 4,096 key shards are some 400 KiB. */
const documentBytesMax = 16 * 1024 * 1024
const replyBytesMax = 1024 * 1024
const eventBytesMax = 4096
const requestTimeoutMs = 15_000
const bodyTimeoutMs = 30_000
/** The control plane answers a long poll after this. */
export const longPollS = 25
/** Three pings of the control plane (15 s apart) missing: the stream is dead. */
export const eventSilenceMsMax = 45_000

type Operations = typeof apiOperations
export type Hello = BodyOf<Operations['gatewayHello']>
export type Acknowledgement = BodyOf<Operations['gatewayAck']>
const HelloReply = apiOperations.gatewayHello.reply
export type HelloReply = Static<typeof HelloReply>
const DocumentEvent = Type.Object({
  kind: Type.Enum([...documentKinds]),
  sequence: Type.Integer({ minimum: 0 }),
})
export type DocumentEvent = Static<typeof DocumentEvent>

/** What a request for a document found. `same`: the one whose ETag was sent is the newest. */
export type OfferedDocument =
  | { readonly found: 'new'; readonly text: string; readonly etag: string | undefined }
  | { readonly found: 'same' | 'none' }

/** What the network did wrong, without addresses or headers. */
function unreachable(cause: unknown): ControlPlaneError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error'
  return new ControlPlaneError(0, `the control plane cannot be reached (${code})`, { cause })
}

async function* chunksOf(body: Dispatcher.ResponseData['body']): AsyncGenerator<Buffer, void, void> {
  try {
    yield* body as AsyncIterable<Buffer>
  } catch (error) {
    throw unreachable(error)
  }
}

async function readBody(body: Dispatcher.ResponseData['body'], bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of chunksOf(body)) {
    bytes += chunk.length
    if (bytes > bytesMax) {
      throw new ControlPlaneError(200, `the control plane sent more than ${bytesMax} bytes`)
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** Parses a reply and checks it against the contract. */
async function readReply<T extends TSchema>(
  response: Dispatcher.ResponseData,
  schema: T,
): Promise<Static<T>> {
  const text = (await readBody(response.body, replyBytesMax)).toString('utf8')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new ControlPlaneError(response.statusCode, 'the control plane answered without JSON', { cause })
  }
  if (fits(schema, value)) return value
  const wrong = describeViolations(violationsOf(schema, value))
  throw new ControlPlaneError(response.statusCode, `the control plane answered wrongly: ${wrong}`)
}

async function errorOf(response: Dispatcher.ResponseData, what: string): Promise<ControlPlaneError> {
  const text = (await readBody(response.body, replyBytesMax).catch(() => Buffer.alloc(0))).toString('utf8')
  return errorFrom(response.statusCode, text, what)
}

/** An event that makes no sense is passed over: missing one is harmless. */
function parseEvent(data: string): DocumentEvent | undefined {
  try {
    const event: unknown = JSON.parse(data)
    return fits(DocumentEvent, event) ? event : undefined
  } catch {
    return undefined
  }
}

/** Everything a gateway asks of the control plane but segments. One pool, every request with a time limit. */
export class ControlPlaneLink implements LedgerLink, BatchLink {
  readonly #origin: string
  readonly #authorization: string
  readonly #agent = new Agent({ connections: 16, connect: { timeout: 5000 }, keepAliveTimeout: 20_000 })

  /** `url` is an origin, or an origin and a path before `/v1`. */
  constructor(options: { readonly url: string; readonly token: string }) {
    this.#origin = options.url.replace(/\/+$/, '')
    this.#authorization = `Bearer ${options.token}`
  }

  async #request(
    path: string,
    options: {
      readonly method?: 'GET' | 'POST'
      readonly headers?: Readonly<Record<string, string>>
      readonly body?: string
      readonly timeoutMs?: number
      readonly bodyTimeoutMs?: number
      readonly signal?: AbortSignal
    } = {},
  ): Promise<Dispatcher.ResponseData> {
    const url = `${this.#origin}${path}`
    return await request(url, {
      dispatcher: this.#agent,
      method: options.method ?? 'GET',
      headers: { authorization: this.#authorization, ...options.headers },
      headersTimeout: options.timeoutMs ?? requestTimeoutMs,
      bodyTimeout: options.bodyTimeoutMs ?? bodyTimeoutMs,
      ...(options.body !== undefined && { body: options.body }),
      ...(options.signal !== undefined && { signal: options.signal }),
    }).catch((error: unknown) => {
      throw unreachable(error)
    })
  }

  async #post<T extends TSchema>(
    { path, reply }: { readonly path: string; readonly reply: T },
    body: object,
    signal: AbortSignal,
  ): Promise<Static<T>> {
    const headers = { 'content-type': 'application/json' }
    const options = { method: 'POST', headers, body: JSON.stringify(body), signal } as const
    const response = await this.#request(path, options)
    if (response.statusCode !== 200) throw await errorOf(response, path)
    return await readReply(response, reply)
  }

  async hello(body: Hello, signal: AbortSignal): Promise<HelloReply> {
    return await this.#post(apiOperations.gatewayHello, body, signal)
  }

  async acknowledge(body: Acknowledgement, signal: AbortSignal): Promise<void> {
    await this.#post(apiOperations.gatewayAck, body, signal)
  }

  async report(body: BodyOf<(typeof apiOperations)['gatewayReport']>, signal: AbortSignal): Promise<void> {
    await this.#post(apiOperations.gatewayReport, body, signal)
  }

  async trip(body: BodyOf<(typeof apiOperations)['gatewayTrip']>, signal: AbortSignal): Promise<void> {
    await this.#post(apiOperations.gatewayTrip, body, signal)
  }

  async noteStored(body: BodyOf<Operations['gatewayNoteStored']>, signal: AbortSignal): Promise<void> {
    await this.#post(apiOperations.gatewayNoteStored, body, signal)
  }

  async findStored(
    keys: readonly string[],
    signal: AbortSignal,
  ): Promise<ReplyOf<Operations['gatewayFindStored']>> {
    return await this.#post(apiOperations.gatewayFindStored, { keys }, signal)
  }

  async lease(body: LeaseBody, signal: AbortSignal): Promise<LeaseReply> {
    return await this.#post(apiOperations.gatewayLease, body, signal)
  }

  async settle(body: SettleBody, signal: AbortSignal): Promise<SettleReply> {
    return await this.#post(apiOperations.gatewaySettle, body, signal)
  }

  async putAside(body: PutAsideBody, signal: AbortSignal): Promise<void> {
    await this.#post(apiOperations.gatewayPutAside, body, signal)
  }

  async openBatch(body: OpenBatchBody, signal: AbortSignal): Promise<OpenBatchReply> {
    return await this.#post(apiOperations.gatewayOpenBatch, body, signal)
  }

  async claimBatches(body: ClaimBody, signal: AbortSignal): Promise<ClaimReply> {
    return await this.#post(apiOperations.gatewayClaimBatches, body, signal)
  }

  async tellBatch(body: TellBody, signal: AbortSignal): Promise<TellReply> {
    return await this.#post(apiOperations.gatewayTellBatch, body, signal)
  }

  /** The newest document of a kind. With `wait`, answers only when it is another than `etag`, or after 25 s. */
  async document(
    kind: DocumentKind,
    options: {
      readonly etag?: string | undefined
      readonly wait?: boolean
      /** Of a root: this one. */
      readonly sequence?: number
      readonly signal: AbortSignal
    },
  ): Promise<OfferedDocument> {
    const query = options.sequence === undefined ? '' : `?sequence=${options.sequence}`
    const path = `${apiOperations.gatewayDocument.path.replace(':kind', kind)}${query}`
    const response = await this.#request(path, {
      signal: options.signal,
      timeoutMs: options.wait === true ? longPollS * 1000 + requestTimeoutMs : requestTimeoutMs,
      headers: {
        ...(options.etag !== undefined && { 'if-none-match': options.etag }),
        ...(options.wait === true && { prefer: `wait=${longPollS}` }),
      },
    })
    if (response.statusCode === 200) {
      const text = (await readBody(response.body, documentBytesMax)).toString('utf8')
      const { etag } = response.headers
      return { found: 'new', text, etag: typeof etag === 'string' ? etag : undefined }
    }
    if (response.statusCode !== 304 && response.statusCode !== 404) throw await errorOf(response, path)
    await response.body.dump()
    return { found: response.statusCode === 304 ? 'same' : 'none' }
  }

  /** A blob. Throws a Rejection where the control plane lacks it, or what came has another digest. */
  async blob(digest: string, signal: AbortSignal): Promise<Buffer> {
    const path = apiOperations.gatewayBlob.path.replace(':digest', encodeURIComponent(digest))
    const response = await this.#request(path, { signal })
    if (response.statusCode === 404) {
      await response.body.dump()
      throw new Rejection(`the control plane does not have the blob ${digest}`)
    }
    if (response.statusCode !== 200) throw await errorOf(response, `the blob ${digest}`)
    const bytes = await readBody(response.body, blobBytesMax)
    const actual = digestOf(bytes)
    if (actual !== digest) throw new Rejection(`the blob ${digest} came as ${actual}`)
    return bytes
  }

  /** Says which documents changed, and `alive` for all else that comes, until the stream ends. */
  async *events(signal: AbortSignal): AsyncGenerator<DocumentEvent | 'alive', void, void> {
    const { path } = apiOperations.gatewayEvents
    const headers = { accept: 'text/event-stream' }
    const response = await this.#request(path, { signal, headers, bodyTimeoutMs: eventSilenceMsMax })
    if (response.statusCode !== 200) throw await errorOf(response, path)
    const splitter = new SseSplitter(eventBytesMax)
    for await (const chunk of chunksOf(response.body)) {
      for (const frame of splitter.push(chunk)) {
        const event = frame.data === '' ? undefined : parseEvent(frame.data)
        if (event !== undefined) yield event
      }
      yield 'alive'
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }
}
