import type { EndedSpan } from './call-spans.ts'

/** Sends a batch; `done` is told whether it arrived. */
export type SendSpans = (spans: EndedSpan[], done: (arrived: boolean) => void) => void

export interface SpanQueueOptions {
  readonly lengthMax: number
  readonly batchLengthMax: number
  /** A span waits at most this long for others. */
  readonly delayMs: number
}
/** A slow collector has this many batches in hand; the rest waits, and what finds no room is dropped and counted. */
const batchesInFlightMax = 2

/** Spans that wait for export: bounded, sent in batches, never waited for. */
export class SpanQueue {
  readonly #options: SpanQueueOptions
  #send: SendSpans | undefined
  #spans: EndedSpan[] = []
  #timer: NodeJS.Timeout | undefined
  #inFlight = 0
  #idle: (() => void)[] = []
  dropped = 0
  exported = 0

  constructor(options: SpanQueueOptions) {
    this.#options = options
  }

  /** From now on spans are sent; until then they wait. */
  connect(send: SendSpans): void {
    this.#send = send
    this.#schedule()
  }

  add(spans: readonly EndedSpan[]): void {
    const room = this.#options.lengthMax - this.#spans.length
    if (spans.length > room) {
      // A call's spans are of use only together.
      this.dropped += spans.length
      return
    }
    for (const span of spans) this.#spans.push(span)
    if (this.#timer === undefined || this.#spans.length >= this.#options.batchLengthMax) this.#schedule()
  }

  #schedule(): void {
    if (this.#send === undefined) return
    while (this.#spans.length >= this.#options.batchLengthMax && this.#inFlight < batchesInFlightMax) {
      this.#sendBatch(this.#send)
    }
    if (this.#spans.length === 0 || this.#timer !== undefined || this.#inFlight >= batchesInFlightMax) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      if (this.#send !== undefined && this.#inFlight < batchesInFlightMax) this.#sendBatch(this.#send)
      this.#schedule()
    }, this.#options.delayMs)
    this.#timer.unref()
  }

  #sendBatch(send: SendSpans): void {
    const batch = this.#spans.splice(0, this.#options.batchLengthMax)
    if (batch.length === 0) return
    this.#inFlight++
    send(batch, (arrived) => {
      this.#inFlight--
      if (arrived) this.exported += batch.length
      else this.dropped += batch.length
      if (this.#inFlight === 0 && this.#spans.length === 0) {
        for (const resolve of this.#idle.splice(0)) resolve()
      }
      this.#schedule()
    })
  }

  /** Sends everything that waits; resolves when it is gone. The caller sets the time limit. */
  async flush(): Promise<void> {
    const send = this.#send
    if (send === undefined || (this.#spans.length === 0 && this.#inFlight === 0)) return
    const gone = new Promise<void>((resolve) => this.#idle.push(resolve))
    while (this.#spans.length > 0) this.#sendBatch(send)
    await gone
  }
}
