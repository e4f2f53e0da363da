import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { Refusal } from '@signalbox/sdk/contract'
import type { Dialect, DialectRoute } from './dialect.ts'
import { refuse, requestId } from './door-answers.ts'
import { handleCall } from './handle-call.ts'
import { LiveList } from './live-list.ts'
import { logBug } from './log-bug.ts'
import type { GatewayParts } from './parts.ts'
import { discardRest } from './read-body.ts'
import { ResponseWriter } from './response-writer.ts'

/** After the cut calls have been told, their last bytes get this long to leave. */
const flushMs = 1_000

/** The calls that are under way, and the end of them all. */
export class RunningCalls {
  draining = false
  readonly #parts: GatewayParts
  readonly #writers = new LiveList<ResponseWriter>()
  /** Answers of a gateway that drains which are complete and not all with the socket yet. */
  #leaving = 0
  #idle: (() => void) | undefined

  constructor(parts: GatewayParts) {
    this.#parts = parts
  }

  /** Takes a call on. It is owned here: express gets nothing to wait for, so it keeps nothing while a stream runs. */
  start(request: IncomingMessage, response: ServerResponse, dialect: Dialect, route: DialectRoute): void {
    this.#run(request, response, dialect, route).catch((error: unknown) => {
      logBug(this.#parts.log, error)
      response.destroy()
    })
  }

  async #run(
    request: IncomingMessage,
    response: ServerResponse,
    dialect: Dialect,
    route: DialectRoute,
  ): Promise<void> {
    const id = this.#parts.createId()
    const writer = new ResponseWriter(response)
    writer.header('x-request-id', requestId(request, id))
    if (this.draining) {
      refuse(new Refusal('draining', { retryAfterS: 1 }), dialect, writer, ['connection', 'close'])
      discardRest(request)
      return
    }
    this.#writers.add(writer)
    try {
      await handleCall({ id, request, writer, dialect, route }, this.#parts)
    } finally {
      this.#writers.delete(writer)
      if (!request.complete) discardRest(request)
      if (this.draining) this.#waitFor(response)
      if (this.#isIdle) this.#idle?.()
    }
  }

  /** An answer leaves at the end of its turn, a long one later; only then its connection can be closed as idle. */
  #waitFor(response: ServerResponse): void {
    if (response.closed) return
    this.#leaving++
    response.once('close', () => {
      this.#leaving--
      if (this.#isIdle) this.#idle?.()
    })
  }

  get #isIdle(): boolean {
    return this.#writers.size === 0 && this.#leaving === 0
  }

  count(): { readonly calls: number; readonly streams: number } {
    let streams = 0
    this.#writers.visit((writer) => {
      if (writer.begun && !writer.over) streams++
    })
    return { calls: this.#writers.size, streams }
  }

  async drain(server: Server, timeoutMs: number): Promise<number> {
    this.draining = true
    await this.#allDone(timeoutMs)
    const cut = this.#writers.size
    this.#writers.visit((writer) => writer.cancel(new Refusal('draining')))
    if (cut > 0) await this.#allDone(flushMs)
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    server.closeIdleConnections()
    const timer = setTimeout(() => server.closeAllConnections(), flushMs)
    await closed
    clearTimeout(timer)
    return cut
  }

  #allDone(timeoutMs: number): Promise<void> {
    if (this.#isIdle) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs)
      this.#idle = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
