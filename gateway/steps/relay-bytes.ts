import { type Attempt, Refusal } from '@signalbox/sdk/contract'
import type { Dialect } from '../dialect.ts'
import { Meter } from '../meter.ts'
import type { Provider } from '../provider.ts'
import type { ResponseWriter } from '../response-writer.ts'
import type { Exchange, ExchangeFailure, ExchangeSink } from '../upstream/exchange.ts'
import { type AttemptFailure, failureOfExchange } from '../upstream/judge-failure.ts'
import { parseBody } from '../upstream/read-whole.ts'
import { SseSplitter } from '../wire/sse.ts'

/** How an answer that had begun went. */
export interface BytesEnd {
  readonly meter: Meter
  /** Why it did not come to its end; undefined where it did. */
  readonly refusal: Refusal | undefined
  readonly outcome: Attempt['outcome']
  /** Nothing is ever lost of bytes that are not looked into. */
  readonly lost: readonly string[]
}
export interface BytesRelayInput {
  readonly exchange: Exchange
  readonly provider: Provider
  readonly dialect: Dialect
  readonly writer: ResponseWriter
  readonly recordId: string
  /** Called once, before the first piece goes out. */
  readonly begin: () => void
  /** Called once, when a begun answer is over. */
  readonly settle: (end: BytesEnd) => void
}

const jsonType = /^\s*application\/(?:[\w.+-]*\+)?json\b/i

/** Whether an answer is read whole: an error, or one JSON value, which may tell its usage. */
export function isWhole({ status, headers }: Exchange): boolean {
  return status < 200 || status >= 300 || jsonType.test(headers['content-type'] ?? '')
}

/** Relays an answer that is not looked into, piece by piece; what a stream of events tells of usage is read beside. */
export function relayBytes(input: BytesRelayInput): Promise<AttemptFailure | undefined> {
  return new BytesRelay(input).done
}

class BytesRelay implements ExchangeSink {
  readonly done: Promise<AttemptFailure | undefined>
  readonly #input: BytesRelayInput
  readonly #meter = new Meter()
  readonly #settled = Promise.withResolvers<AttemptFailure | undefined>()
  readonly #isEvents: boolean
  #splitter: SseSplitter | undefined
  #begun = false

  constructor(input: BytesRelayInput) {
    this.#input = input
    this.#isEvents = input.exchange.headers['content-type']?.includes('event-stream') === true
    this.#splitter = this.#isEvents ? new SseSplitter() : undefined
    this.done = this.#settled.promise
    input.writer.onDrain = () => input.exchange.resume()
    input.exchange.flow()
    input.exchange.attach(this)
  }

  onData(chunk: Buffer): void {
    this.#begin()
    this.#observe(chunk)
    if (!this.#input.writer.write(chunk)) this.#input.exchange.pause()
  }

  onEnd(): void {
    this.#begin()
    this.#conclude(undefined, 'ok')
    this.#input.writer.end()
  }

  onFailure(failure: ExchangeFailure): void {
    const judged = failureOfExchange(failure)
    if (!this.#begun) {
      this.#settled.resolve(judged)
      return
    }
    const { writer, dialect, recordId } = this.#input
    const refusal = writer.cancelled ?? judged.refusal
    if (this.#isEvents) writer.write(dialect.encodeStreamError(refusal, recordId))
    this.#conclude(refusal, judged.outcome)
    // Of other bytes only a connection that breaks says that this is no end.
    if (this.#isEvents) writer.end()
    else writer.destroy()
  }

  #begin(): void {
    if (this.#begun) return
    this.#begun = true
    this.#input.begin()
  }

  #observe(chunk: Buffer): void {
    try {
      for (const frame of this.#splitter?.push(chunk) ?? []) {
        if (!frame.bytes.includes('"usage')) continue
        const json = parseBody(Buffer.from(frame.data))
        const usage = this.#input.provider.readUsage(messageOf(json))
        if (usage !== undefined) this.#meter.report({ ...this.#meter.usage, ...usage })
      }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      // An event that is too long to be read passes all the same; nothing more is read.
      this.#splitter = undefined
    }
  }

  #conclude(refusal: Refusal | undefined, outcome: BytesEnd['outcome']): void {
    try {
      this.#input.settle({ meter: this.#meter, refusal, outcome, lost: [] })
      this.#settled.resolve(undefined)
    } catch (error) {
      this.#settled.reject(error)
    }
  }
}

/** Anthropic's first event has its message inside. */
function messageOf(json: unknown): unknown {
  if (typeof json !== 'object' || json === null || !('message' in json)) return json
  return json.message
}
