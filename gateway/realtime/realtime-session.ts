import { Refusal } from '@signalbox/sdk/contract'
import type { RawData, WebSocket } from 'ws'
import { asObject, asString, type JsonObject } from '../wire/json-value.ts'
import { encodeChatError } from '../wire/openai-chat/errors.ts'
import type { SessionTurns } from './session-turns.ts'

/** With more than this unsent on one side the other side is not read. */
const unsentBytesMax = 1024 * 1024
const unsentBytesLow = 256 * 1024
/** Peers that answer no ping within this are gone. */
const pingMs = 30_000
/** OpenAI's own sessions end after an hour. */
const sessionMs = 3_600_000

/** Close codes. Source: RFC 6455 §7.4.1. */
export const closeCodes = {
  normal: 1000,
  goingAway: 1001,
  policy: 1008,
  internal: 1011,
  tryLater: 1013,
} as const

const bytesOf = (data: RawData): number =>
  Array.isArray(data) ? data.reduce((sum, each) => sum + each.length, 0) : data.byteLength

/** A close code that may be sent; the others only tell what happened here. */
const sendable = (code: number): number =>
  (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || code >= 3000
    ? code
    : closeCodes.normal

function parse(text: string): JsonObject | undefined {
  try {
    return asObject(JSON.parse(text))
  } catch {
    return undefined
  }
}

/** An error event of the Realtime API. */
function errorEvent(refusal: Refusal, eventId: string, causedBy?: string): string {
  const { error } = encodeChatError(refusal) as { error: object }
  return JSON.stringify({ type: 'error', event_id: eventId, error: { ...error, event_id: causedBy ?? null } })
}

export interface SessionEnds {
  readonly client: WebSocket
  readonly upstream: WebSocket
  readonly turns: SessionTurns
  /** The model that was decided on; no message may ask for another. */
  readonly model: string
  readonly createId: () => string
}

/**
 * Messages between a caller and an upstream, each as it is. Every turn is admitted before it begins; neither side is
 * read faster than the other reads; and whichever way it ends, the caller is told why.
 */
export class RealtimeSession {
  /** Resolves when both sides are closed. */
  readonly closed: Promise<Refusal | undefined>
  readonly #ends: SessionEnds
  readonly #closed = Promise.withResolvers<Refusal | undefined>()
  readonly #timers: NodeJS.Timeout[] = []
  #over = false
  #draining = false

  constructor(ends: SessionEnds) {
    this.#ends = ends
    this.closed = this.#closed.promise
    const { client, upstream } = ends
    client.on('message', (data, isBinary) => this.#fromClient(data, isBinary))
    upstream.on('message', (data, isBinary) => this.#fromUpstream(data, isBinary))
    client.on('close', () => this.#end(new Refusal('client_closed'), closeCodes.normal))
    upstream.on('close', (code, reason) => this.#upstreamClosed(code, reason))
    for (const socket of [client, upstream]) socket.on('error', () => socket.terminate())
    this.#watch(client)
    this.#watch(upstream)
    const limit = setTimeout(() => this.cancel(new Refusal('upstream_timeout')), sessionMs)
    this.#timers.push(limit)
    upstream.resume()
  }

  /** No further turns; the session ends with the one that runs. */
  drain(): void {
    this.#draining = true
    if (this.#ends.turns.running === 0) this.cancel(new Refusal('draining'))
  }

  /** Ends the session with an error event. */
  cancel(refusal: Refusal): void {
    const code = refusal.code === 'draining' ? closeCodes.goingAway : closeCodes.policy
    this.#fail(refusal, code)
  }

  #watch(socket: WebSocket): void {
    let isAlive = true
    socket.on('pong', () => {
      isAlive = true
    })
    const timer = setInterval(() => {
      if (!isAlive) socket.terminate()
      isAlive = false
      if (socket.readyState === socket.OPEN) socket.ping()
    }, pingMs)
    this.#timers.push(timer)
  }

  #fromClient(data: RawData, isBinary: boolean): void {
    if (this.#over) return
    const { upstream, client, turns } = this.#ends
    turns.heard(bytesOf(data))
    // Nothing but JSON text is a message of this API; what cannot be read could be anything.
    const message = isBinary ? undefined : parse(String(data))
    try {
      if (message === undefined)
        throw new Refusal('invalid_request', { message: 'A message must be a JSON object.' })
      this.#check(message)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      client.send(errorEvent(error, this.#ends.createId(), asString(message?.event_id)))
      if (error.status === 401) this.#fail(error, closeCodes.policy)
      return
    }
    this.#send(upstream, client, data, false)
  }

  /** Throws a Refusal for what may not go on. */
  #check(message: JsonObject): void {
    if (message.type === 'response.create') {
      if (this.#draining) throw new Refusal('draining')
      this.#ends.turns.admit()
    }
    const asked = asString(asObject(message.session)?.model)
    if (asked === undefined || asked === this.#ends.model) return
    throw new Refusal('unsupported_feature', {
      message: 'The model of a session is decided when it is opened.',
      param: 'session.model',
    })
  }

  #fromUpstream(data: RawData, isBinary: boolean): void {
    if (this.#over) return
    const { client, upstream, turns } = this.#ends
    const text = isBinary ? '' : String(data)
    if (text.includes('"response.created"') || text.includes('"response.done"')) this.#turn(parse(text))
    if (this.#over) return
    if (turns.running > 0) turns.said(bytesOf(data))
    this.#send(client, upstream, data, isBinary)
    if (this.#draining && turns.running === 0) this.cancel(new Refusal('draining'))
  }

  #turn(event: JsonObject | undefined): void {
    const { turns, upstream } = this.#ends
    const response = asObject(event?.response)
    if (event?.type === 'response.done') turns.done(response)
    if (event?.type !== 'response.created') return
    try {
      // The upstream begins turns by itself, when it hears the end of what was said.
      turns.begin(asString(response?.id) ?? '')
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      upstream.send(JSON.stringify({ type: 'response.cancel' }))
      this.#fail(error, closeCodes.policy)
    }
  }

  /** Sends, and stops to read from the other side while too much is unsent. */
  #send(to: WebSocket, from: WebSocket, data: RawData, isBinary: boolean): void {
    if (to.readyState !== to.OPEN) return
    to.send(data, { binary: isBinary }, () => {
      if (from.isPaused && to.bufferedAmount <= unsentBytesLow && from.readyState === from.OPEN) from.resume()
    })
    if (to.bufferedAmount > unsentBytesMax) from.pause()
  }

  #upstreamClosed(code: number, reason: Buffer): void {
    const isClean = code === closeCodes.normal || code === closeCodes.goingAway || code >= 3000
    if (isClean && this.#ends.turns.running === 0) this.#end(undefined, sendable(code), reason)
    else
      this.#fail(
        new Refusal('upstream_reset', { detail: `the session closed with ${code}` }),
        closeCodes.internal,
      )
  }

  #fail(refusal: Refusal, code: number): void {
    if (this.#over) return
    const { client } = this.#ends
    if (client.readyState === client.OPEN) client.send(errorEvent(refusal, this.#ends.createId()))
    this.#end(refusal, code)
  }

  #end(refusal: Refusal | undefined, code: number, reason?: Buffer): void {
    if (this.#over) return
    this.#over = true
    for (const timer of this.#timers) clearTimeout(timer)
    const { client, upstream, turns } = this.#ends
    turns.cut(refusal ?? new Refusal('client_closed'))
    for (const socket of [client, upstream]) socket.resume()
    client.close(code, refusal === undefined ? reason : refusal.publicCode)
    upstream.close(closeCodes.normal)
    this.#closed.resolve(refusal)
  }
}
