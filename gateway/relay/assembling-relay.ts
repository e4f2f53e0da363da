import { Refusal } from '@signalbox/sdk/contract'
import { Meter } from '../meter.ts'
import type { StreamDecoder } from '../provider.ts'
import type { WholeAnswer, WholeRelayInput } from '../steps/relay-whole.ts'
import type { ExchangeFailure, ExchangeSink } from '../upstream/exchange.ts'
import {
  type AttemptFailure,
  failureOfAnswer,
  failureOfEvent,
  failureOfExchange,
  invalidAnswer,
} from '../upstream/judge-failure.ts'
import { parseBody, readWhole } from '../upstream/read-whole.ts'
import { type SseFrame, SseSplitter, type StreamSplitter } from '../wire/sse.ts'
import { ReplyAssembly } from './assemble-reply.ts'

export interface AssembledRelayInput extends WholeRelayInput {
  /** Asked after each piece: whether what was seen so far may go on. */
  readonly mayGoOn: (meter: Meter) => boolean
}
/** An answer that was put together, or why there is none; `seen` even then: it may have cost something. */
export interface AssembledAnswer {
  readonly meter: Meter
  readonly result: (WholeAnswer & { readonly isCut: boolean }) | AttemptFailure
}

/**
 * A plain call whose hold grows is asked for as a stream, so that it can be cut, and given as a whole: upstream bytes →
 * frame → decode → meter → put together → screen → encode.
 */
export async function relayAssembled(input: AssembledRelayInput): Promise<AssembledAnswer> {
  const meter = new Meter()
  const { exchange, provider, credential, nowMs } = input
  const headFailure = await exchange.head
  if (headFailure !== undefined) return { meter, result: failureOfExchange(headFailure) }
  const { status, headers } = exchange
  exchange.flow()
  if (status >= 200 && status < 300 && headers['content-type']?.includes('json') !== true) {
    return { meter, result: await new AssemblingRelay(input, meter).done }
  }
  const body = await readWhole(exchange)
  if (!Buffer.isBuffer(body)) return { meter, result: failureOfExchange(body) }
  const json = parseBody(body)
  if (status < 300) return { meter, result: invalidAnswer('a plain answer where a stream was asked for') }
  return { meter, result: failureOfAnswer({ status, headers, body }, json, provider, credential, nowMs) }
}

class AssemblingRelay implements ExchangeSink {
  readonly done: Promise<AssembledAnswer['result']>
  readonly #input: AssembledRelayInput
  readonly #meter: Meter
  readonly #splitter: StreamSplitter
  readonly #decoder: StreamDecoder
  readonly #assembly = new ReplyAssembly()
  readonly #settled = Promise.withResolvers<AssembledAnswer['result']>()
  #isOver = false

  constructor(input: AssembledRelayInput, meter: Meter) {
    this.#input = input
    this.#meter = meter
    this.#splitter = input.provider.createSplitter?.() ?? new SseSplitter()
    this.#decoder = input.provider.createDecoder()
    this.done = this.#settled.promise
    input.exchange.attach(this)
  }

  onData(chunk: Buffer): void {
    if (this.#isOver) return
    try {
      this.#take(this.#splitter.push(chunk))
      if (!this.#isOver && this.#meter.finish === undefined && !this.#input.mayGoOn(this.#meter))
        this.#end(true)
    } catch (cause) {
      this.#give(invalidAnswer('an event that cannot be read', cause))
    }
  }

  onEnd(): void {
    if (this.#isOver) return
    try {
      const tail = this.#splitter.end()
      if (tail !== undefined && !(tail.partial && tail.data === '')) this.#take([tail])
      const { complete, deltas } = this.#decoder.finish()
      this.#observe(deltas)
      if (this.#isOver) return
      if (complete) this.#end(false)
      else this.#give(failureOfExchange({ kind: 'reset', detail: 'the stream ended before its answer did' }))
    } catch (cause) {
      this.#give(invalidAnswer('an event that cannot be read', cause))
    }
  }

  onFailure(failure: ExchangeFailure): void {
    if (!this.#isOver) this.#give(failureOfExchange(failure))
  }

  #take(frames: readonly SseFrame[]): void {
    for (const frame of frames) {
      if (this.#isOver) return
      if (frame.data !== '') this.#observe(this.#decoder.push(frame), frame)
    }
  }

  #observe(deltas: ReturnType<StreamDecoder['push']>, frame?: SseFrame): void {
    this.#meter.observe(deltas)
    const { exchange, provider, credential } = this.#input
    for (const delta of deltas) {
      if (delta.type !== 'error') this.#assembly.push(delta)
      else {
        const body = Buffer.from(frame?.data ?? '')
        const answer = { status: delta.status ?? 0, headers: exchange.headers, body }
        this.#give(failureOfEvent(answer, parseBody(body) ?? { error: delta }, provider, credential))
        return
      }
    }
  }

  #end(isCut: boolean): void {
    const { dialect, call, screen, nowMs } = this.#input
    const reply = this.#assembly.reply(isCut)
    if (isCut) this.#meter.finish = 'length'
    const encoded = dialect.encodeReply(screen.reply(reply), call, nowMs)
    const body = Buffer.from(JSON.stringify(encoded.body))
    this.#give({ body, meter: this.#meter, dropped: encoded.dropped, isCut })
  }

  #give(result: AssembledAnswer['result']): void {
    this.#isOver = true
    this.#input.exchange.abort('the answer is over')
    this.#settled.resolve(result)
  }
}

/** Why an assembled answer was cut. */
export function cutRefusal(): Refusal {
  return new Refusal('budget_exhausted', { detail: 'the hold of an answer could not be raised' })
}
