import type { EndedSpan } from './call-spans.ts'
import { SpanEncoder } from './span-encoder.ts'

/** Encoded spans of some calls. */
export interface SpanBatch {
  readonly spans: number
  readonly bytes: Buffer
}
/** Sends a batch; `done` is told whether it arrived. */
export type SendSpans = (batch: SpanBatch, done: (arrived: boolean) => void) => void

export interface SpanQueueOptions {
  /** Spans that wait; more are dropped and counted. */
  readonly lengthMax: number
  readonly batchLengthMax: number
  /** A span waits at most this long for others. */
  readonly delayMs: number
}
/** A slow collector has this many batches in hand; the rest waits, and what finds no room is dropped and counted. */
const batchesInFlightMax = 2

/** Spans that wait for export: encoded at once, bounded, sent in batches, never waited for. */
export class SpanQueue {
  readonly #options: SpanQueueOptions
  readonly #send: SendSpans
  readonly #encoder = new SpanEncoder()
  /** Batches that are full, or whose time is over. */
  readonly #waiting: SpanBatch[] = []
  #waitingSpans = 0
  /** In the encoder. */
  #openSpans = 0
  #timer: NodeJS.Timeout | undefined
  #inFlight = 0
  #idle: (() => void)[] = []
  dropped = 0
  exported = 0

  constructor(options: SpanQueueOptions, send: SendSpans) {
    this.#options = options
    this.#send = send
  }

  /** Takes the spans of a call, or drops them all: they are of use only together. */
  add(spans: readonly EndedSpan[]): void {
    const { lengthMax, batchLengthMax, delayMs } = this.#options
    if (this.#waitingSpans + this.#openSpans + spans.length > lengthMax) {
      this.dropped += spans.length
      return
    }
    for (const span of spans) this.#encoder.add(span)
    this.#openSpans += spans.length
    if (this.#openSpans >= batchLengthMax) this.#closeBatch()
    else this.#timer ??= setTimeout(() => this.#closeBatch(), delayMs).unref()
  }

  #closeBatch(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#openSpans > 0) {
      this.#waiting.push({ spans: this.#openSpans, bytes: this.#encoder.take() })
      this.#waitingSpans += this.#openSpans
      this.#openSpans = 0
    }
    this.#sendWaiting(batchesInFlightMax)
  }

  #sendWaiting(inFlightMax: number): void {
    while (this.#inFlight < inFlightMax) {
      const batch = this.#waiting.shift()
      if (batch === undefined) return
      this.#waitingSpans -= batch.spans
      this.#inFlight++
      this.#send(batch, (arrived) => this.#sent(batch, arrived))
    }
  }

  #sent({ spans }: SpanBatch, arrived: boolean): void {
    this.#inFlight--
    if (arrived) this.exported += spans
    else this.dropped += spans
    this.#sendWaiting(batchesInFlightMax)
    if (this.#inFlight > 0 || this.#waiting.length > 0) return
    for (const resolve of this.#idle.splice(0)) resolve()
  }

  /** Sends everything that waits; resolves when it is gone. The caller sets the time limit. */
  async flush(): Promise<void> {
    this.#closeBatch()
    this.#sendWaiting(Number.POSITIVE_INFINITY)
    if (this.#inFlight === 0) return
    await new Promise<void>((resolve) => this.#idle.push(resolve))
  }
}
