import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'
import type { ExchangeWatch, Watched } from './exchange-watch.ts'

/**
 * Why an exchange gave no whole answer. `unavailable`: nothing was sent; `reset`: it broke off after that; `aborted`:
 * we gave it up; `internal`: an error of ours kept it from being sent.
 */
export type ExchangeFailureKind =
  | 'unavailable'
  | 'reset'
  | 'timeout'
  | 'invalid'
  | 'stalled'
  | 'aborted'
  | 'internal'
export interface ExchangeFailure {
  readonly kind: ExchangeFailureKind
  /** For the log and the record. */
  readonly detail: string
}

/** Limits of one exchange. The last two are for bytes, the others for time. */
export interface ExchangeLimits {
  readonly connectMs: number
  /** Until the first event of a stream, or the head of a plain answer. */
  readonly firstTokenMs: number
  /** Between two pieces of an answer that has begun. */
  readonly idleMs: number
  /** Clock time at which the exchange ends whatever it does. */
  readonly deadlineMs: number
  /** How long a caller may read nothing while the answer waits for him. */
  readonly clientIdleMs: number
  readonly bytesMax: number
  /** Bytes that wait for a sink before the upstream is paused. */
  readonly waitingBytesMax: number
}

/** Gets an answer's bytes as they come. After `onEnd` or `onFailure` nothing follows. */
export interface ExchangeSink {
  onData(chunk: Buffer): void
  onEnd(): void
  onFailure(failure: ExchangeFailure): void
}

type Phase = 'connect' | 'firstToken' | 'flow'

/**
 * One request to an upstream and its answer, as undici's handler. It keeps to its limits of time and size, and keeps
 * what comes until a sink is attached.
 */
export class Exchange implements Dispatcher.DispatchHandler, Watched {
  /** Undefined when the head has come, else why it never will. */
  readonly head: Promise<ExchangeFailure | undefined>
  status = 0
  headers: IncomingHttpHeaders = {}
  /** Clock time of the first byte of the answer; 0 before. */
  firstByteMs = 0
  bytesIn = 0
  /** Told whenever something came, or ended, that no sink was there for. */
  onWaiting: (() => void) | undefined
  /** The request went out, so the upstream may have begun to work on it. */
  sent = false
  /** Of the watch. */
  slot = 0

  readonly #limits: ExchangeLimits
  readonly #watch: ExchangeWatch
  #resolveHead: (failure: ExchangeFailure | undefined) => void = () => {}
  #controller: Dispatcher.DispatchController | undefined
  #sink: ExchangeSink | undefined
  #waiting: Buffer[] = []
  #waitingBytes = 0
  #ended = false
  #failure: ExchangeFailure | undefined
  #over = false
  /** Paused by the sink, whose reader is slow. */
  #paused = false
  /** Paused because too much waits for a sink. */
  #full = false
  #phase: Phase = 'connect'
  #dueMs: number

  constructor(limits: ExchangeLimits, watch: ExchangeWatch) {
    this.#limits = limits
    this.#watch = watch
    this.head = new Promise((resolve) => {
      this.#resolveHead = resolve
    })
    this.#dueMs = watch.nowMs + limits.connectMs
    watch.add(this)
  }

  /** Hands over what waits, and from now on everything as it comes. A second call replaces the sink. */
  attach(sink: ExchangeSink): void {
    this.#sink = sink
    const waiting = this.#waiting
    this.#waiting = []
    this.#waitingBytes = 0
    for (const chunk of waiting) {
      if (this.#sink !== sink) this.#keep(chunk)
      else sink.onData(chunk)
    }
    if (this.#sink !== sink) return
    if (this.#failure !== undefined) sink.onFailure(this.#failure)
    else if (this.#ended) sink.onEnd()
    else if (this.#full) this.#release()
  }

  /** What came and waits for a sink. */
  get waiting(): readonly Buffer[] {
    return this.#waiting
  }

  /** It has ended, failed or was given up. */
  get isOver(): boolean {
    return this.#over
  }

  /** Nothing more comes: it has ended, failed, or takes no more before a sink is there. */
  get isSettled(): boolean {
    return this.#over || this.#full
  }

  /** Bytes are kept again until the next `attach`. */
  detach(): void {
    this.#sink = undefined
  }

  /** The answer has begun: from now on only pauses between its pieces count. */
  flow(): void {
    this.#phase = 'flow'
    this.#due(this.#limits.idleMs)
  }

  /** Stops reading; the upstream feels it as soon as the socket's buffers are full. */
  pause(): void {
    if (this.#over || this.#paused) return
    this.#paused = true
    this.#controller?.pause()
    this.#due(this.#limits.clientIdleMs)
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    if (this.#over) return
    this.#due(this.#limits.idleMs)
    if (!this.#full) this.#controller?.resume()
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#over) {
      controller.abort(new Error('aborted'))
      return
    }
    this.sent = true
    this.#phase = 'firstToken'
    this.#due(this.#limits.firstTokenMs)
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    // Informational answers (103 and the like) come before the real one.
    if (this.#over || status < 200) return
    this.status = status
    this.headers = headers
    this.firstByteMs = this.#watch.nowMs
    this.#resolveHead(undefined)
    this.onWaiting?.()
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#over) return
    this.bytesIn += chunk.length
    if (this.bytesIn > this.#limits.bytesMax) {
      this.#fail('invalid', `the answer is longer than ${this.#limits.bytesMax} bytes`)
      return
    }
    if (this.#phase === 'flow') this.#due(this.#limits.idleMs)
    if (this.#sink !== undefined) this.#sink.onData(chunk)
    else this.#keep(chunk)
  }

  onResponseEnd(): void {
    if (this.#over) return
    this.#finish()
    this.#ended = true
    if (this.#sink === undefined) this.onWaiting?.()
    else this.#sink.onEnd()
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#over) return
    this.#finish()
    this.#report(failureOf(error, this.sent))
  }

  /** Gives the exchange up and closes its connection; its sink, or `head`, is told. */
  abort(detail: string): void {
    this.#fail('aborted', detail)
  }

  /** Ends an exchange that could not be sent for an error of ours. */
  break(detail: string): void {
    this.#fail('internal', detail)
  }

  #fail(kind: ExchangeFailureKind, detail: string): void {
    if (this.#over) return
    this.#finish()
    this.#controller?.abort(new Error(detail))
    this.#report({ kind, detail })
  }

  #report(failure: ExchangeFailure): void {
    this.#failure = failure
    if (this.status === 0) this.#resolveHead(failure)
    if (this.#sink === undefined) this.onWaiting?.()
    else this.#sink.onFailure(failure)
  }

  #finish(): void {
    this.#over = true
    this.#watch.delete(this)
  }

  #keep(chunk: Buffer): void {
    this.#waiting.push(chunk)
    this.#waitingBytes += chunk.length
    if (!this.#full && !this.#over && this.#waitingBytes > this.#limits.waitingBytesMax) {
      this.#full = true
      this.#controller?.pause()
    }
    this.onWaiting?.()
  }

  #release(): void {
    this.#full = false
    if (!this.#paused) this.#controller?.resume()
  }

  #due(spanMs: number): void {
    this.#dueMs = this.#watch.nowMs + spanMs
  }

  /** For the watch: ends the exchange where its time is over. */
  checkTime(nowMs: number): void {
    if (nowMs >= this.#limits.deadlineMs) this.#fail('timeout', 'the answer took longer than it may in all')
    else if (nowMs < this.#dueMs) return
    else if (this.#paused) this.#fail('stalled', 'the caller read nothing for too long')
    else if (this.#phase === 'connect') this.#fail('timeout', 'no connection in time')
    else if (this.#phase === 'firstToken') this.#fail('timeout', 'no first token in time')
    else this.#fail('timeout', 'the answer stood still for too long')
  }
}

/** Parser errors of undici come with a code of llhttp's, or with none. */
const isNonsense = (error: Error, code: string): boolean =>
  error.name === 'HTTPParserError' || code.startsWith('HPE_') || code === 'UND_ERR_HEADERS_OVERFLOW'

function failureOf(error: Error, sent: boolean): ExchangeFailure {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name
  if (!sent) return { kind: code === 'UND_ERR_CONNECT_TIMEOUT' ? 'timeout' : 'unavailable', detail: code }
  return { kind: isNonsense(error, code) ? 'invalid' : 'reset', detail: code }
}
