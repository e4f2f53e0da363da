import type { IncomingMessage, ServerResponse } from 'node:http'
import { type OperationDefinition, Refusal } from '@signalbox/sdk/contract'
import { describeViolations, type Logger, violationsOf } from '@signalbox/sdk/node'
import type { Identity } from './authenticate.ts'
import { type Authorize, mayCall, refuseCaller } from './authorize.ts'
import { errorBody, refusalOf } from './error-reply.ts'
import { sendEvents } from './event-stream.ts'
import { DirectReply, type ReplyHeaders, type RequestContext } from './handler.ts'
import { type RequestInput, readInput } from './request-input.ts'

/** What serving needs beside the request. */
export interface Serving {
  readonly authenticate: (request: IncomingMessage) => Promise<Identity>
  readonly authorize: Authorize
  /** Notes who reads records, before they are handed out. */
  readonly auditRead: (
    operation: OperationDefinition,
    identity: Identity,
    input: RequestInput,
  ) => Promise<void>
  /** Where a request comes from, declared proxies passed over. */
  readonly addressOf: (request: IncomingMessage) => string
  /** Whether too much waits already; the request is refused at once. */
  readonly overloaded: () => boolean
  /** A reply that its schema does not allow is our bug: `internal`. On in tests; costs a validation per reply. */
  readonly verifyReplies: boolean
  readonly nowMs: () => number
  readonly newId: () => string
  readonly log: Logger
}
/** One request to one operation. */
export interface Exchange {
  readonly operation: OperationDefinition
  /** The operation's handler; input and reply are of the operation's types by construction of `Handlers`. */
  readonly handle: (context: RequestContext, input: never) => unknown
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Decoded `:params` of the path. */
  readonly params: Readonly<Record<string, unknown>>
  /** Aborted when the caller goes away or the program drains. */
  readonly signal: AbortSignal
}

const nobody: Identity = { organisationId: '', caller: { kind: 'public' }, actor: 'public' }
/** Names of events, where they are not `message`. */
const eventNames: Readonly<Record<string, string>> = { gatewayEvents: 'document', followRecords: 'record' }
const requestIdPattern = /^[\w.-]{1,64}$/

/** One request, from its headers to its reply. Every stage either returns or ends it by throwing a Refusal. */
export async function serveOperation(exchange: Exchange, serving: Serving): Promise<void> {
  const startMs = serving.nowMs()
  const { operation, request, response } = exchange
  const given = request.headers['x-request-id']
  const requestId = typeof given === 'string' && requestIdPattern.test(given) ? given : serving.newId()
  const log = serving.log.child({ requestId, operation: operation.id })
  response.setHeader('x-request-id', requestId)
  response.setHeader('cache-control', 'no-store')
  let identity = nobody
  let refusal: Refusal | undefined
  try {
    if (serving.overloaded()) {
      throw new Refusal('not_ready', { message: 'Too many requests wait for the database.', retryAfterS: 1 })
    }
    identity = await identify(exchange, serving)
    const search = new URL(request.url ?? '/', 'http://localhost').searchParams
    const input = await readInput(request, operation, { params: exchange.params, search })
    const permit = await serving.authorize(operation, identity, input)
    if (operation.readsRecords === true) await serving.auditRead(operation, identity, input)
    const context: RequestContext = {
      requestId,
      ...identity,
      permit,
      address: serving.addressOf(request),
      headers: request.headers,
      signal: exchange.signal,
      log,
    }
    const answer = exchange.handle(context, input as never)
    if (operation.replyForm === 'events') await replyEvents(exchange, serving, answer)
    else reply(exchange, serving, await answer)
  } catch (error) {
    refusal = refusalOf(error, log)
    sendRefusal(response, refusal, requestId)
  }
  const line = {
    status: response.statusCode,
    code: refusal?.publicCode,
    detail: refusal?.detail,
    actor: identity.actor,
    durationMs: Math.round(serving.nowMs() - startMs),
  }
  if (operation.role === 'gateway' && refusal === undefined) log.debug(line, 'request')
  else log.info(line, 'request')
}

/** Who asks, where the operation is not public. @throws Refusal `key_…`, `forbidden`. */
async function identify({ operation, request }: Exchange, serving: Serving): Promise<Identity> {
  if (operation.role === 'public') return nobody
  const identity = await serving.authenticate(request)
  if (!mayCall(operation, identity.caller)) throw refuseCaller(operation)
  return identity
}

async function replyEvents(exchange: Exchange, serving: Serving, source: unknown): Promise<void> {
  const { operation, request, response, signal } = exchange
  if (request.method === 'HEAD') throw new Refusal('method_not_allowed')
  await sendEvents(response, source as AsyncIterable<unknown>, {
    event: eventNames[operation.id] ?? 'message',
    signal,
    stillAllowed: async () => {
      try {
        await identify(exchange, serving)
        return true
      } catch (error) {
        if (error instanceof Refusal) return false
        throw error
      }
    },
    verify: (document) => verifyReply(operation, serving, document),
  })
}

/** @throws Error where a reply is not what the contract says; the caller gets `internal`. */
function verifyReply(operation: OperationDefinition, serving: Serving, body: unknown): void {
  if (!serving.verifyReplies) return
  // What goes over the wire counts: without members that are undefined.
  const violations = violationsOf(operation.reply, JSON.parse(JSON.stringify(body)))
  if (violations.length === 0) return
  throw new Error(`the reply of ${operation.id} does not fit its schema: ${describeViolations(violations)}`)
}

function reply({ operation, response }: Exchange, serving: Serving, answer: unknown): void {
  const direct = answer instanceof DirectReply
  const body: unknown = direct ? answer.body : answer
  const status = (direct ? answer.status : undefined) ?? operation.status ?? 200
  const headers: Record<string, ReplyHeaders[string]> = direct ? { ...answer.headers } : {}
  if (body === undefined) {
    response.writeHead(status, headers).end()
    return
  }
  let bytes: Uint8Array
  if (operation.replyForm === 'bytes') {
    headers['content-type'] ??= 'application/octet-stream'
    bytes = body as Uint8Array
  } else {
    verifyReply(operation, serving, body)
    headers['content-type'] = 'application/json; charset=utf-8'
    bytes = Buffer.from(JSON.stringify(body), 'utf8')
  }
  headers['content-length'] = String(bytes.byteLength)
  response.writeHead(status, headers).end(bytes)
}

/** Sends an error; where the reply has begun, nothing but ending it is left. */
export function sendRefusal(response: ServerResponse, refusal: Refusal, requestId: string): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  if (refusal.retryAfterS !== undefined) response.setHeader('retry-after', String(refusal.retryAfterS))
  if (refusal.status === 401) response.setHeader('www-authenticate', 'Bearer')
  response.writeHead(refusal.status, { 'content-type': 'application/json; charset=utf-8' })
  response.end(JSON.stringify(errorBody(refusal, requestId)))
}
