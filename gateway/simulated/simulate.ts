import { hash } from 'node:crypto'
import type { Dispatch } from '../upstream/upstream.ts'
import { anthropicMessages } from './anthropic-messages.ts'
import { composeAnswer } from './compose-answer.ts'
import { gemini } from './gemini.ts'
import { memberOf } from './loose-json.ts'
import { openAiChat } from './openai-chat.ts'
import { openAiCompletions } from './openai-completions.ts'
import { openAiResponses } from './openai-responses.ts'
import { operationAnswer } from './operations.ts'
import type { SimulatedFormat } from './simulated-format.ts'

type Handler = Parameters<Dispatch>[1]
type Controller = Parameters<NonNullable<Handler['onRequestStart']>>[0]

/** The answer as it would come over the wire. */
interface SimulatedResponse {
  readonly status: number
  readonly headers: Record<string, string>
  readonly chunks: readonly Buffer[]
}

/** Which format a path belongs to; the vendors' paths are all different. */
function formatOf(path: string): SimulatedFormat | undefined {
  if (path.endsWith('/chat/completions')) return openAiChat
  if (path.endsWith('/completions')) return openAiCompletions
  if (path.endsWith('/responses')) return openAiResponses
  if (/:(?:g|streamG)enerateContent\b/.test(path)) return gemini
  return path.endsWith('/messages') ? anthropicMessages : undefined
}

function json(status: number, value: unknown, token: string): SimulatedResponse {
  const headers = { 'content-type': 'application/json', 'x-request-id': `req_${token}` }
  return { status, headers, chunks: [Buffer.from(JSON.stringify(value))] }
}

function respond(path: string, body: Buffer, timeS: number): SimulatedResponse {
  const token = hash('sha256', body, 'hex').slice(0, 24)
  const format = formatOf(path)
  const known = operationAnswer(path, body, { token, timeS })
  if (known !== undefined) return json(200, known, token)
  if (format === undefined) {
    const error = { type: 'not_found_error', message: 'The simulated provider has no such endpoint.' }
    return json(404, { type: 'error', error }, token)
  }
  const parsed: unknown = JSON.parse(body.toString('utf8'))
  const request = format.read(parsed, path)
  const answer = composeAnswer(request)
  const stamp = { token, timeS }
  if (memberOf(parsed, 'stream') !== true && !path.includes(':stream'))
    return json(200, format.whole(request, answer, stamp, parsed), token)
  const headers = { 'content-type': 'text/event-stream; charset=utf-8', 'x-request-id': `req_${token}` }
  const chunks = format.stream(request, answer, stamp, parsed).map((event) => Buffer.from(event))
  return { status: 200, headers, chunks }
}

/** Sends an answer to a handler piece by piece, as a socket would: it can be paused and aborted in between. */
class Delivery implements Controller {
  aborted = false
  paused = false
  reason: Error | null = null
  readonly #handler: Handler
  readonly #response: SimulatedResponse
  readonly #pauseMs: number
  #next = 0
  #scheduled = false

  constructor(handler: Handler, response: SimulatedResponse, pauseMs: number) {
    this.#handler = handler
    this.#response = response
    this.#pauseMs = pauseMs
  }

  start(): void {
    this.#handler.onRequestStart?.(this, undefined)
    if (this.aborted) return
    this.#handler.onResponseStart?.(this, this.#response.status, this.#response.headers)
    this.#schedule()
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
    this.#schedule()
  }

  abort(reason: Error): void {
    if (this.aborted) return
    this.aborted = true
    this.reason = reason
    this.#handler.onResponseError?.(this, reason)
  }

  #schedule(): void {
    if (this.#scheduled || this.paused || this.aborted) return
    this.#scheduled = true
    if (this.#pauseMs > 0) setTimeout(() => this.#step(), this.#pauseMs)
    else setImmediate(() => this.#step())
  }

  #step(): void {
    this.#scheduled = false
    if (this.aborted || this.paused) return
    const chunk = this.#response.chunks[this.#next]
    this.#next++
    if (chunk === undefined) {
      this.#handler.onResponseEnd?.(this, {})
      return
    }
    this.#handler.onResponseData?.(this, chunk)
    // A plain answer has one piece and ends with it; a stream gives one piece at a time.
    if (this.#response.chunks.length === 1 && !this.aborted && !this.paused) this.#step()
    else this.#schedule()
  }
}

/**
 * The built-in provider that needs no network: it takes undici's place for connections that are simulated, and answers
 * in the wire format of the vendor it stands in for. Deterministic but for the time stamp.
 * @param options.pauseMs between two pieces of a stream.
 */
export function createSimulation(clock: () => number, options: { readonly pauseMs?: number } = {}): Dispatch {
  return (request, handler) => {
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.from('{}')
    const response = respond(request.path, body, Math.floor(clock() / 1000))
    const delivery = new Delivery(handler, response, options.pauseMs ?? 0)
    setImmediate(() => delivery.start())
    return true
  }
}
