import { Refusal } from '@signalbox/sdk/contract'
import type { Stop } from '../guardrails/verdict-log.ts'
import { Meter } from '../meter.ts'
import type { Carrier, ProviderError } from '../relay/carrier.ts'
import { type CarrierInput, createCarrier } from '../relay/create-carrier.ts'
import { isReadable, refusalOf } from '../relay/judge-frame.ts'
import type { ResponseWriter } from '../response-writer.ts'
import type { Exchange, ExchangeFailure, ExchangeSink } from '../upstream/exchange.ts'
import {
  type AttemptFailure,
  failureOfAnswer,
  failureOfEvent,
  failureOfExchange,
  invalidAnswer,
  isErrorBody,
} from '../upstream/judge-failure.ts'
import { parseBody, readWhole } from '../upstream/read-whole.ts'
import { type SseFrame, SseSplitter, type StreamSplitter } from '../wire/sse.ts'

/** What a stream is relayed between, and with what. */
export interface StreamRelayInput extends CarrierInput {
  readonly exchange: Exchange
  readonly credential: string | undefined
  readonly writer: ResponseWriter
  /** Asked after each piece: whether what was seen so far may go on; absent where nothing limits it. */
  readonly mayGoOn?: ((meter: Meter) => boolean) | undefined
  /** Called once, when the first event has come: the answer begins. */
  readonly begin: (meter: Meter) => void
  /** Called once, when a begun stream is over; gives what to write after its last event. */
  readonly settle: (end: StreamEnd) => string
}
/** How a stream that had begun went. */
export interface StreamEnd {
  readonly meter: Meter
  /** Why the answer did not end in its own way; undefined where it did. */
  readonly refusal: Refusal | undefined
  readonly outcome: AttemptFailure['outcome'] | 'ok' | 'cut'
  /** Answer paths that were lost although nobody had said so before. */
  readonly lost: readonly string[]
}

/** Bytes of comments that may come before the first event; with more the answer begins without it. */
const preludeBytesMax = 65_536

/** Relays a stream to its end; gives the failure where nothing of it has reached the caller. */
export async function relayStream(input: StreamRelayInput): Promise<AttemptFailure | undefined> {
  const { exchange, provider, credential, nowMs } = input
  const headFailure = await exchange.head
  if (headFailure !== undefined) return failureOfExchange(headFailure)
  const { status, headers } = exchange
  const encoding = headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity') {
    exchange.abort('encoded')
    return invalidAnswer(`the stream is encoded as ${encoding}, which nobody asked for`)
  }
  // Servers that call their streams something else than an event stream are common; JSON is not one.
  const isJson = headers['content-type']?.includes('json') === true
  if (status >= 200 && status < 300 && !isJson) return new StreamRelay(input).done
  const body = await readWhole(exchange)
  if (!Buffer.isBuffer(body)) return failureOfExchange(body)
  const json = parseBody(body)
  if (status < 300 && !isErrorBody(json)) return invalidAnswer('a plain answer where a stream was asked for')
  return failureOfAnswer({ status, headers, body }, json, provider, credential, nowMs)
}

/**
 * The one chain of a stream: upstream bytes → frame → carrier (decode → meter → screen → encode) → client. Only whole
 * frames go out, so that an error event can stand after whatever was sent; and nothing goes out before the first event
 * has come, so that until then another target can be tried.
 */
class StreamRelay implements ExchangeSink {
  readonly done: Promise<AttemptFailure | undefined>
  readonly #input: StreamRelayInput
  readonly #splitter: StreamSplitter
  readonly #meter = new Meter()
  readonly #carrier: Carrier
  /** What came after the last frame and is none. */
  #unread: Buffer | undefined
  #begun = false
  #over = false
  /** The provider ended its stream with an error of its own. */
  #providerError: Refusal | undefined
  readonly #settled = Promise.withResolvers<AttemptFailure | undefined>()

  constructor(input: StreamRelayInput) {
    this.#input = input
    this.#splitter = input.provider.createSplitter?.() ?? new SseSplitter()
    this.#carrier = createCarrier(input, this.#meter)
    this.done = this.#settled.promise
    input.writer.onDrain = () => input.exchange.resume()
    input.exchange.attach(this)
  }

  onData(chunk: Buffer): void {
    if (this.#over) return
    try {
      this.#relay(chunk, this.#splitter.push(chunk))
    } catch (cause) {
      this.#break(cause)
    }
  }

  onEnd(): void {
    if (this.#over) return
    const tail = this.#splitter.end()
    if (tail !== undefined && !this.#relayTail(tail)) {
      this.#carrier.drop()
      this.#unread = tail.bytes
    }
    if (this.#over) return
    this.#finish(new Refusal('upstream_reset', { detail: 'the stream ended before its answer did' }), 'reset')
  }

  onFailure(failure: ExchangeFailure): void {
    if (this.#over) return
    const judged = failureOfExchange(failure)
    const { writer } = this.#input
    if (!this.#begun) this.#give(judged)
    else if (failure.kind === 'stalled' || writer.gone) {
      this.#conclude(judged.refusal, 'aborted')
      writer.destroy()
    } else this.#finish(writer.cancelled ?? judged.refusal, judged.outcome)
  }

  /** The upstream's bytes go out as they came. */
  get #isPassed(): boolean {
    const { request, call, screen } = this.#input
    return request.identity && call.asArray !== true && screen.active !== true
  }

  /** Frames of one piece, in order. */
  #relay(piece: Buffer, frames: readonly SseFrame[]): void {
    for (const frame of frames) {
      const error = this.#carrier.take(frame)
      if (!this.#begun && !this.#open(frame, error)) {
        if (this.#over) return
      } else if (error !== undefined) {
        this.#providerError ??= refusalOf(error)
      }
    }
    if (!this.#begun) return
    const out = this.#carrier.flush(piece, frames)
    if (out !== undefined) this.#write(out)
    if (this.#input.screen.stop !== undefined) {
      this.#stop(this.#input.screen.stop)
      return
    }
    if (this.#mustCut()) {
      this.#cut()
      return
    }
    // Nothing follows an error event that we write ourselves; one that passes ends where its stream does.
    if (
      this.#providerError !== undefined &&
      (!this.#input.request.identity || this.#input.screen.active === true)
    )
      this.#finish(this.#providerError, 'error')
  }

  /** The unfinished frame at the end of the bytes; servers exist that leave out the last blank line. */
  #relayTail(tail: SseFrame): boolean {
    if (tail.partial && tail.data === '') return false
    try {
      this.#relay(tail.bytes, [tail])
      return true
    } catch {
      return false
    }
  }

  /** Whether the answer begins with this frame. An error as its first event is a failure like any other. */
  #open(frame: SseFrame, error: ProviderError | undefined): boolean {
    const { exchange, provider, credential, begin } = this.#input
    if (error !== undefined) {
      const body = Buffer.from(frame.data)
      const json = parseBody(body) ?? { error }
      this.#give(
        failureOfEvent(
          { status: error.status ?? 0, headers: exchange.headers, body },
          json,
          provider,
          credential,
        ),
      )
      return false
    }
    if (frame.data === '' && this.#carrier.waitingBytes < preludeBytesMax) return false
    if (!isReadable(frame)) {
      this.#give(invalidAnswer('the first event cannot be read'))
      return false
    }
    this.#begun = true
    exchange.flow()
    begin(this.#meter)
    return true
  }

  #write(piece: Buffer | string): void {
    if (!this.#input.writer.write(piece)) this.#input.exchange.pause()
  }

  /** Nothing more comes from the upstream: ends the answer in the dialect's way, or with its error event. */
  #finish(death: Refusal, outcome: AttemptFailure['outcome']): void {
    if (!this.#begun) {
      const kind = this.#unread === undefined ? 'reset' : 'invalid'
      this.#give(failureOfExchange({ kind, detail: death.detail ?? death.code }))
      return
    }
    try {
      const { complete, rest } = this.#carrier.finish()
      this.#write(rest)
      const { stop } = this.#input.screen
      if (stop !== undefined) this.#stop(stop)
      else if (this.#providerError !== undefined) this.#fail(this.#providerError, 'error')
      else if (!complete) this.#fail(death, outcome)
      else {
        this.#write(this.#carrier.end())
        if (this.#unread !== undefined && this.#isPassed) this.#write(this.#unread)
        this.#conclude(undefined, 'ok')
      }
    } catch (cause) {
      this.#break(cause)
    }
  }

  /** Something in the chain could not go on; what was sent is closed with an error event. */
  #break(cause: unknown): void {
    if (this.#over) return
    const refusal =
      cause instanceof Refusal
        ? cause
        : new Refusal('upstream_invalid', { detail: 'an event that cannot be read' })
    this.#carrier.drop()
    if (this.#begun) this.#fail(refusal, 'invalid')
    else this.#give({ ...invalidAnswer(refusal.detail ?? refusal.code), refusal })
  }

  /** A guardrail lets nothing more out: the answer ends as one that was declined, or with an error event. */
  #stop({ refusal }: Stop): void {
    const { screen, recordId } = this.#input
    this.#write(screen.ended === true ? this.#carrier.end() : this.#carrier.fail(refusal, recordId))
    this.#conclude(refusal, 'cut')
  }

  #mustCut(): boolean {
    const { mayGoOn } = this.#input
    if (mayGoOn === undefined || this.#providerError !== undefined || this.#meter.finish !== undefined)
      return false
    return !mayGoOn(this.#meter)
  }

  /** Nobody pays for more: the answer ends as one whose limit was reached, and says why. */
  #cut(): void {
    const refusal = new Refusal('budget_exhausted', { detail: 'the hold of a stream could not be raised' })
    // Neither JSON nor Google's clients take comments.
    const { asArray, format } = this.#input.call
    const comment = asArray === true || format === 'gemini' ? '' : `: signalbox cut=${refusal.code}\n\n`
    this.#write(this.#carrier.cut() + comment)
    this.#conclude(refusal, 'cut')
  }

  #fail(refusal: Refusal, outcome: AttemptFailure['outcome']): void {
    this.#write(this.#carrier.fail(refusal, this.#input.recordId))
    this.#conclude(refusal, outcome)
  }

  #conclude(refusal: Refusal | undefined, outcome: StreamEnd['outcome']): void {
    this.#over = true
    const { exchange, writer, settle } = this.#input
    exchange.abort('the stream is over')
    try {
      writer.write(settle({ meter: this.#meter, refusal, outcome, lost: this.#carrier.lost }))
      this.#settled.resolve(undefined)
    } catch (error) {
      this.#settled.reject(error)
    } finally {
      writer.end()
    }
  }

  #give(failure: AttemptFailure): void {
    this.#over = true
    this.#input.exchange.abort('the stream is over')
    this.#settled.resolve(failure)
  }
}
