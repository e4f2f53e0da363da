import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { SecureContextOptions } from 'node:tls'
import { Refusal } from '@signalbox/sdk/contract'
import express, { type Express, type NextFunction, type Request, type Response } from 'express'
import { callerAddress } from './caller-address.ts'
import type { Dialect } from './dialect.ts'
import { refuse, requestId } from './door-answers.ts'
import { directPath, mountDirectCalls } from './doors/direct-calls.ts'
import { doorFormat } from './doors/door-format.ts'
import { readiness } from './doors/health.ts'
import { describeKey } from './doors/key.ts'
import { getModel, listModels, readPage } from './doors/models.ts'
import { describeDoors, type OwnDoor } from './doors/openapi.ts'
import { mountStoredResponses } from './doors/stored-responses.ts'
import { listVercelModels } from './doors/vercel-models.ts'
import { checkAddress, mayUseName } from './key-scope.ts'
import { logBug } from './log-bug.ts'
import type { GatewayParts } from './parts.ts'
import { discardRest } from './read-body.ts'
import { RealtimeDoor } from './realtime/realtime-door.ts'
import { ResponseWriter } from './response-writer.ts'
import { RunningCalls } from './running-calls.ts'
import { authenticate } from './steps/authenticate.ts'
import { targetsOf } from './targets.ts'

export interface ServerOptions {
  /** The certificate, and who puts a newer one into the server; plain HTTP where left out. */
  readonly tls?: { readonly context: SecureContextOptions; readonly follow: (server: TlsServer) => void }
  /** Answers `/metrics`; there is no such endpoint where left out. */
  readonly metrics?: (request: IncomingMessage, response: ServerResponse) => void
}
/** The gateway's HTTP side. */
export interface GatewayServer {
  readonly server: Server
  /** Calls that are under way, and how many of them have begun to stream their answer. */
  running(): { readonly calls: number; readonly streams: number }
  /** Starts to listen; gives the port, which the system chooses for 0. */
  listen(port: number, host: string): Promise<number>
  /**
   * Refuses new calls while running ones finish, cuts those that take longer with an error event, then stops to
   * listen. Gives how many were cut.
   */
  drain(timeoutMs: number): Promise<number>
}

/** A head that takes longer than this to come is no client of ours. */
const headersTimeoutMs = 10_000
/** For a whole request; enough for the largest body on a slow line. */
const requestTimeoutMs = 120_000
const timeoutCheckMs = 2_000
/** Longer than the idle time of common load balancers, so that they close first. */
const keepAliveTimeoutMs = 75_000
const headerBytesMax = 65_536
const connectionsMax = 20_000
const modelPaths = [
  ...['/v1/models', '/api/v1/models', '/anthropic/v1/models', '/v3/ai/config', '/v4/ai/config'],
  ...['/v1beta', '/v1alpha', '/gemini/v1', '/gemini/v1beta', '/gemini/v1alpha'].map(
    (root) => `${root}/models`,
  ),
]
const keyPath = '/v1/key'
const openApiPath = '/openapi.json'
const ownDoors: readonly OwnDoor[] = [
  { method: 'get', path: keyPath, summary: 'What the holder of a key may know of it.', needsKey: true },
  { method: 'post', path: directPath, summary: 'Tells of calls made past the gateway.', needsKey: true },
  { method: 'get', path: '/healthz', summary: 'The process serves.', needsKey: false },
  { method: 'get', path: '/readyz', summary: 'Calls should be sent here.', needsKey: false },
  { method: 'get', path: '/metrics', summary: 'Metrics in the form of Prometheus.', needsKey: false },
  { method: 'get', path: openApiPath, summary: 'This document.', needsKey: false },
  ...modelPaths.flatMap((path): OwnDoor[] => [
    { method: 'get', path, summary: 'Models that the key may use.', needsKey: true },
    { method: 'get', path: `${path}/*name`, summary: 'One model.', needsKey: true },
  ]),
]

/** Builds the server around the parts; nothing listens yet. */
export function createGatewayServer(parts: GatewayParts, options: ServerOptions = {}): GatewayServer {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.set('query parser', false)
  const calls = new RunningCalls(parts)
  const direct = mountCalls(app, parts, calls)
  const listener: RequestListener = (request, response) => {
    const answer = request.method === 'POST' ? direct.get(request.url ?? '') : undefined
    if (answer === undefined) app(request, response)
    else answer(request, response)
  }
  mountDoors(app, parts, calls, options)
  mountEnd(app, parts)
  const limits = {
    headersTimeout: headersTimeoutMs,
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: timeoutCheckMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    maxHeaderSize: headerBytesMax,
    // Two Authorization headers are then one that is no key, instead of the first of two.
    joinDuplicateHeaders: true,
  }
  const { tls } = options
  const server =
    tls === undefined
      ? createServer(limits, listener)
      : serveTls(listener, { ...limits, ...tls.context }, tls)
  server.maxConnections = connectionsMax
  const sessions = new RealtimeDoor(parts)
  sessions.attach(server)
  return {
    server,
    running: () => calls.count(),
    listen: (port, host) => listen(server, port, host),
    drain: async (timeoutMs) => {
      const cut = await Promise.all([calls.drain(server, timeoutMs), sessions.drain(timeoutMs)])
      return cut[0] + cut[1]
    },
  }
}

function serveTls(
  listener: RequestListener,
  settings: Parameters<typeof createTlsServer>[0],
  { follow }: NonNullable<ServerOptions['tls']>,
): Server {
  const server = createTlsServer(settings, listener)
  follow(server)
  return server
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve((server.address() as AddressInfo).port)
    })
  })
}

/**
 * Mounts the calls. Gives those of them that are a POST to a path without parts that vary: nearly all calls that there
 * are ask for one of these letter by letter, and express, which knows them in all their spellings, takes longer to find
 * one than anything else takes at the door.
 */
function mountCalls(
  app: Express,
  parts: GatewayParts,
  calls: RunningCalls,
): ReadonlyMap<string, RequestListener> {
  const direct = new Map<string, RequestListener>()
  for (const dialect of parts.dialects.values()) {
    for (const route of dialect.routes) {
      const sharing = [...parts.dialects.values()].filter((each) =>
        each.routes.some(({ method, path }) => method === route.method && path === route.path),
      )
      const answer: RequestListener = (request, response) => {
        calls.start(request, response, whoseOf(sharing, request) ?? dialect, route)
      }
      app[route.method](route.path, answer)
      const isDirect = route.method === 'post' && /^[/\w.-]+$/.test(route.path)
      if (isDirect && !direct.has(route.path)) direct.set(route.path, answer)
    }
  }
  return direct
}

/** Of the dialects that have a path the one of the caller's client: a header of Google's means theirs. */
function whoseOf(sharing: readonly Dialect[], { headers }: IncomingMessage): Dialect | undefined {
  const isGoogle = headers['x-goog-api-key'] !== undefined
  return sharing.length < 2 ? undefined : sharing.find(({ format }) => (format === 'gemini') === isGoogle)
}

function mountDoors(app: Express, parts: GatewayParts, calls: RunningCalls, options: ServerOptions): void {
  app.head('/', (_request, response) => sendJson(response, 200, undefined))
  app.get('/healthz', (_request, response) => sendJson(response, 200, { status: 'ok' }))
  app.get('/readyz', (_request, response) => {
    const { status, body } = readiness(parts.snapshots, calls.draining, parts.sharedStore)
    sendJson(response, status, body)
  })
  const { metrics } = options
  if (metrics !== undefined) app.get('/metrics', (request, response) => metrics(request, response))
  const described = describeDoors(parts.dialects.values(), ownDoors)
  app.get(openApiPath, (_request, response) => sendJson(response, 200, described))
  app.get(keyPath, (request, response) => sendKey(request, response, parts))
  mountDirectCalls(app, parts)
  mountStoredResponses(app, parts)
  for (const path of modelPaths) {
    app.get(path, (request, response) => sendModels(request, response, undefined, parts))
    app.get(`${path}/*name`, (request, response) => {
      const { name } = request.params as { name: string | string[] }
      sendModels(request, response, Array.isArray(name) ? name.join('/') : name, parts)
    })
  }
}

/** What is left: known paths with another method, unknown paths, and what express itself refuses. */
function mountEnd(app: Express, parts: GatewayParts): void {
  const methods = new Map<string, Set<string>>(
    [...modelPaths, keyPath, openApiPath, '/healthz', '/readyz'].map((path) => [
      path,
      new Set(['GET', 'HEAD']),
    ]),
  )
  methods.set(directPath, new Set(['POST']))
  for (const dialect of parts.dialects.values()) {
    for (const { method, path } of dialect.routes) {
      methods.set(path, new Set([...(methods.get(path) ?? []), method.toUpperCase()]))
    }
  }
  for (const [path, allowed] of methods) {
    app.all(path, (request, response) => {
      refuseAtDoor(new Refusal('method_not_allowed'), request, response, parts, [
        'allow',
        [...allowed].join(', '),
      ])
    })
  }
  app.use((request: Request, response: Response) => {
    refuseAtDoor(new Refusal('route_not_found'), request, response, parts)
  })
  app.use((error: unknown, request: Request, response: Response, _next: NextFunction) => {
    if (response.headersSent) {
      response.destroy()
      return
    }
    refuseAtDoor(doorRefusal(error, parts), request, response, parts)
  })
}

function doorRefusal(error: unknown, parts: GatewayParts): Refusal {
  if (error instanceof Refusal) return error
  if (error instanceof URIError)
    return new Refusal('invalid_request', { message: 'The path is not a valid URL.' })
  logBug(parts.log, error)
  return new Refusal('internal')
}

function refuseAtDoor(
  refusal: Refusal,
  request: Request,
  response: Response,
  parts: GatewayParts,
  headers: readonly string[] = [],
): void {
  const format = doorFormat(request.path, request.headers)
  const dialect = [...parts.dialects.values()].find((each) => each.format === format)
  const writer = new ResponseWriter(response)
  writer.header('x-request-id', requestId(request, parts.createId()))
  if (dialect === undefined) sendJson(response, refusal.status, { error: { code: refusal.publicCode } })
  else refuse(refusal, dialect, writer, headers)
  discardRest(request)
}

function sendModels(
  request: Request,
  response: Response,
  name: string | undefined,
  parts: GatewayParts,
): void {
  const snapshot = parts.snapshots.current()
  const { key } = authenticate(request.headers, request.url, snapshot, parts.clock())
  checkAddress(key, callerAddress(request, parts))
  const mayUse = (each: string): boolean => mayUseName(key, each)
  const format = doorFormat(request.path, request.headers)
  const table = targetsOf(snapshot, parts.providers)
  const query = new URLSearchParams(request.url.split('?')[1])
  if (format === 'vercel-ai') {
    sendJson(response, 200, listVercelModels(request.headers['user-agent'], snapshot, table, mayUse))
    return
  }
  const body =
    name === undefined
      ? listModels(format, snapshot, table, { ...readPage(format, query), mayUse })
      : getModel(name, format, { snapshot, table, mayUse })
  response.setHeader('x-request-id', requestId(request, parts.createId()))
  sendJson(response, 200, body)
}

/** Tells the holder of a key what it may. No budget stands in the way of the question. */
function sendKey(request: Request, response: Response, parts: GatewayParts): void {
  const snapshot = parts.snapshots.current()
  const caller = authenticate(request.headers, request.url, snapshot, parts.clock())
  checkAddress(caller.key, callerAddress(request, parts))
  response.setHeader('x-request-id', requestId(request, parts.createId()))
  response.setHeader('cache-control', 'no-store')
  sendJson(response, 200, describeKey(caller, snapshot, parts))
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const bytes = body === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(body))
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length })
  response.end(bytes)
}
