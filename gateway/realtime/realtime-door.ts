import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { Refusal } from '@signalbox/sdk/contract'
import { WebSocketServer } from 'ws'
import { refusalHeaders } from '../answer-headers.ts'
import { admitCall, endAdmission } from '../limits/admit-call.ts'
import { logBug } from '../log-bug.ts'
import type { GatewayParts } from '../parts.ts'
import { beginTrail, type Trail } from '../trail.ts'
import { messageBytesMax } from '../upstream/open-web-socket.ts'
import { encodeChatError } from '../wire/openai-chat/errors.ts'
import { type ConnectedSession, connectSession } from './connect-session.ts'
import { RealtimeSession } from './realtime-session.ts'
import { planSession, type SessionPlan } from './session-plan.ts'
import { SessionTurns } from './session-turns.ts'

const paths = new Set(['/v1/realtime', '/api/v1/realtime'])
const sessionsMax = 1000
/** After a session was told to end, its sockets get this long to close. */
const closeMs = 1000
const protocol = 'realtime'
/** A handshake has no place for the headers of limits. */
const unheard = { header: () => undefined }

/** Sessions over WebSocket: opened, counted and ended here. */
export class RealtimeDoor {
  readonly #parts: GatewayParts
  readonly #sessions = new Set<RealtimeSession>()
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: messageBytesMax,
    perMessageDeflate: false,
    handleProtocols: (protocols) => (protocols.has(protocol) ? protocol : false),
  })
  #opening = 0
  #draining = false

  constructor(parts: GatewayParts) {
    this.#parts = parts
  }

  attach(server: Server): void {
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.#open(request, socket, head).catch((error: unknown) => {
        logBug(this.#parts.log, error)
        socket.destroy()
      })
    })
  }

  count(): number {
    return this.#sessions.size + this.#opening
  }

  /** Ends sessions with their running turn, those that take longer with an error event. Gives how many were cut. */
  async drain(timeoutMs: number): Promise<number> {
    this.#draining = true
    const all = [...this.#sessions]
    for (const session of all) session.drain()
    await within(timeoutMs, Promise.all(all.map(({ closed }) => closed)))
    const cut = [...this.#sessions]
    for (const session of cut) session.cancel(new Refusal('draining'))
    const clients = [...this.#server.clients]
    await within(
      closeMs,
      Promise.all(clients.map((client) => new Promise((resolve) => client.once('close', resolve)))),
    )
    for (const client of this.#server.clients) client.terminate()
    return cut.length
  }

  async #open(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy())
    const parts = this.#parts
    const startMs = parts.clock()
    const trail = beginTrail({ id: parts.createId(), startMs, dialect: 'openai', operation: 'realtime' })
    const path = (request.url ?? '').split('?', 1)[0] ?? ''
    this.#opening++
    try {
      if (!paths.has(path)) throw new Refusal('route_not_found')
      if (this.#draining) throw new Refusal('draining', { retryAfterS: 1 })
      if (this.count() > sessionsMax) throw new Refusal('concurrency_limited', { retryAfterS: 1 })
      const plan = planSession(request, trail, parts)
      const admitted = admitCall(plan.decided, trail, unheard, parts.limits)
      if (admitted !== undefined) await admitted
      const connected = await connectSession(plan, trail, parts)
      this.#accept({ request, socket, head }, plan, connected, trail)
    } catch (error) {
      const refusal =
        error instanceof Refusal ? error : new Refusal('internal', { detail: logBug(parts.log, error) })
      refuseUpgrade(refusal, socket, trail)
      this.#record(trail, refusal, refusal.status)
    } finally {
      this.#opening--
    }
  }

  #accept(
    { request, socket, head }: { request: IncomingMessage; socket: Duplex; head: Buffer },
    plan: SessionPlan,
    { socket: upstream, target, holds }: ConnectedSession,
    trail: Trail,
  ): void {
    if (socket.destroyed) {
      holds.close()
      upstream.terminate()
      this.#record(trail, new Refusal('client_closed'), 499)
      return
    }
    const parts = this.#parts
    let isAccepted = false
    this.#server.handleUpgrade(request, socket, head, (client) => {
      isAccepted = true
      const turns = new SessionTurns(trail, plan, { target, holds }, parts)
      const ends = { client, upstream, turns, model: target.model, createId: parts.createId }
      const session = new RealtimeSession(ends)
      this.#sessions.add(session)
      trail.identity = true
      session.closed.then(
        (refusal) => {
          this.#sessions.delete(session)
          this.#record(trail, refusal?.code === 'client_closed' ? undefined : refusal, 101)
        },
        (error: unknown) => void logBug(parts.log, error),
      )
      if (this.#draining) session.drain()
    })
    if (isAccepted) return
    // The library has refused a handshake that is none; it has told the caller why.
    holds.close()
    upstream.terminate()
    this.#record(trail, new Refusal('invalid_request'), 400)
  }

  /** The session itself, from its opening to its end; what its turns used stands in their own records. */
  #record(trail: Trail, refusal: Refusal | undefined, status: number): void {
    endAdmission(trail)
    if (trail.keyId === undefined) return
    trail.error = refusal
    trail.status = status
    trail.endMs = this.#parts.clock()
    this.#parts.ended.add({
      trail,
      spans: this.#parts.newSpanIds(),
      httpRoute: '/v1/realtime',
      method: 'GET',
    })
  }
}

/** Waits for something, at most this long. */
async function within(timeoutMs: number, wanted: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs)
  })
  await Promise.race([wanted, late])
  clearTimeout(timer)
}

/** Answers a request for a session over plain HTTP, before it is one. */
function refuseUpgrade(refusal: Refusal, socket: Duplex, trail: Trail): void {
  if (socket.destroyed) return
  const body = Buffer.from(JSON.stringify(encodeChatError(refusal)))
  const own = trail.keyId === undefined ? [] : ['x-signalbox-decision', trail.id]
  const headers = [
    'content-type',
    'application/json',
    'content-length',
    String(body.length),
    'connection',
    'close',
  ]
  const pairs = [...headers, ...own, ...refusalHeaders(refusal)]
  let text = `HTTP/1.1 ${refusal.status} Refused\r\n`
  for (let at = 0; at < pairs.length; at += 2) text += `${pairs[at]}: ${pairs[at + 1]}\r\n`
  socket.end(Buffer.concat([Buffer.from(`${text}\r\n`), body]))
}
