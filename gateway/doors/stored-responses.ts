import { Refusal } from '@signalbox/sdk/contract'
import type { Express, Request, Response } from 'express'
import { callerAddress } from '../caller-address.ts'
import { credentialOf } from '../credentials/credential-of.ts'
import { refuse, requestId } from '../door-answers.ts'
import { checkAddress, checkOperation } from '../key-scope.ts'
import { logBug } from '../log-bug.ts'
import { freePass } from '../money/attempt-hold.ts'
import type { GatewayParts } from '../parts.ts'
import type { UpstreamRequest } from '../provider.ts'
import { discardRest } from '../read-body.ts'
import { ResponseWriter } from '../response-writer.ts'
import { simulatedBaseUrl } from '../steps/attempt.ts'
import { authenticate } from '../steps/authenticate.ts'
import { findStored } from '../stored-things.ts'
import { baseUrlOf, speaking, type Target, targetsOf } from '../targets.ts'
import { passedHeaders, upstreamRequestId } from '../upstream/answer-headers.ts'
import type { Exchange, ExchangeSink } from '../upstream/exchange.ts'
import { failureOfExchange } from '../upstream/judge-failure.ts'

interface StoredRoute {
  readonly method: 'get' | 'post' | 'delete'
  /** After the id. */
  readonly tail: string
}
const roots = ['/v1/responses', '/api/v1/responses']
const routes: readonly StoredRoute[] = [
  { method: 'get', tail: '' },
  { method: 'delete', tail: '' },
  { method: 'post', tail: '/cancel' },
  { method: 'get', tail: '/input_items' },
]
const nothing = Buffer.alloc(0)

/** What a provider keeps of a caller's own answers: read, cancelled and deleted where it is kept, as it is. */
export function mountStoredResponses(app: Express, parts: GatewayParts): void {
  for (const root of roots) {
    for (const { method, tail } of routes) {
      app[method](`${root}/:id${tail}`, (request: Request, response: Response) => {
        discardRest(request)
        const writer = new ResponseWriter(response)
        writer.header('x-request-id', requestId(request, parts.createId()))
        passOn({ method, tail }, request, writer, parts).catch((error: unknown) => {
          const isRefusal = error instanceof Refusal
          answerWith(
            isRefusal ? error : new Refusal('internal', { detail: logBug(parts.log, error) }),
            writer,
            parts,
          )
        })
      })
    }
  }
}

function answerWith(refusal: Refusal, writer: ResponseWriter, parts: GatewayParts): void {
  const dialect = parts.dialects.get('openai-responses')
  if (dialect !== undefined) refuse(refusal, dialect, writer)
}

async function passOn(
  route: StoredRoute,
  request: Request,
  writer: ResponseWriter,
  parts: GatewayParts,
): Promise<void> {
  const snapshot = parts.snapshots.current()
  const caller = authenticate(request.headers, request.url, snapshot, parts.clock())
  checkAddress(caller.key, callerAddress(request, parts))
  checkOperation(caller.key, 'chat')
  const id = String(request.params.id)
  await parts.storedIds.learn([id], { again: true })
  const owner = findStored(id, 'id', { caller, snapshot, storedIds: parts.storedIds })
  const target = targetsOf(snapshot, parts.providers).find(`${owner.connection}/-`)
  if (target === undefined || target.connection.status === 'unavailable') {
    throw new Refusal('connection_unavailable')
  }
  const spoken = speaking(target, 'openai-responses')
  const { connection, provider } = spoken
  const simulated = connection.status === 'simulated'
  const baseUrl = baseUrlOf(connection, provider) ?? (simulated ? simulatedBaseUrl : undefined)
  if (baseUrl === undefined) throw new Refusal('upstream_unavailable')
  const credential = await credentialOf(spoken, parts.accessTokens)
  const defaults = parts.attemptDefaults
  const exchange = parts.upstream.open({
    // Reading and deleting is not billed.
    permit: freePass,
    request: requestFor(route, id, request.url, spoken),
    baseUrl,
    credentials: simulated ? {} : provider.authenticate(credential),
    limits: {
      ...defaults,
      bytesMax: defaults.streamBytesMax,
      deadlineMs: parts.clock() + defaults.streamMs,
    },
    ca: connection.ca,
    dispatch: simulated ? parts.simulate : undefined,
  })
  relay(exchange, writer, parts, () => {
    if (route.method === 'delete') parts.storedIds.forget(id)
  })
}

/** The query travels, but for the key that may stand in it. */
function requestFor(
  { method, tail }: StoredRoute,
  id: string,
  url: string,
  { provider, connection }: Target,
): UpstreamRequest {
  const query = new URLSearchParams(url.split('?')[1])
  query.delete('key')
  const asked = query.size === 0 ? '' : `?${query}`
  const { apiVersion } = connection
  const path = `/responses/${encodeURIComponent(id)}${tail}${asked}`
  const options = { model: '', ...(apiVersion !== undefined && { apiVersion }) }
  return {
    method: method === 'get' ? 'GET' : method === 'post' ? 'POST' : 'DELETE',
    path: provider.operationPath?.(path, options) ?? path,
    headers: { accept: query.get('stream') === 'true' ? 'text/event-stream' : 'application/json' },
    body: nothing,
    dropped: [],
    responseDropped: [],
    addedUsage: false,
    identity: true,
  }
}

/** The upstream's own answer, status, headers and bytes. */
function relay(exchange: Exchange, writer: ResponseWriter, parts: GatewayParts, done: () => void): void {
  writer.onStop = () => exchange.abort('nobody waits for it any more')
  writer.onDrain = () => exchange.resume()
  const begin = (): void => {
    if (writer.begun) return
    exchange.flow()
    const upstreamId = upstreamRequestId(exchange.headers)
    const own = upstreamId === undefined ? [] : ['x-signalbox-upstream-request-id', upstreamId]
    writer.begin(exchange.status, [...passedHeaders(exchange.headers), ...own])
  }
  const sink: ExchangeSink = {
    onData(piece) {
      begin()
      if (!writer.write(piece)) exchange.pause()
    },
    onEnd() {
      begin()
      if (exchange.status < 300) done()
      writer.end()
    },
    onFailure(failure) {
      // Once begun, a connection that breaks is the only way to say that this is no end.
      if (writer.begun) writer.destroy()
      else answerWith(failureOfExchange(failure).refusal, writer, parts)
    },
  }
  exchange.attach(sink)
}
