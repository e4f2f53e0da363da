import type { Refusal } from '@signalbox/sdk/contract'
import { type SseFrame, SseSplitter } from '../wire/sse.ts'
import type { Carrier, ProviderError } from './carrier.ts'

/**
 * A stream as one JSON array, as Google's servers write it for callers who do not ask for events: what each event says
 * is an element, an error the last one. Comments and the like have no place there.
 */
export class ArrayFraming implements Carrier {
  readonly #inner: Carrier
  readonly #splitter = new SseSplitter()
  #elements = 0

  constructor(inner: Carrier) {
    this.#inner = inner
  }

  get waitingBytes(): number {
    return this.#inner.waitingBytes
  }
  get lost(): readonly string[] {
    return this.#inner.lost
  }

  take(frame: SseFrame): ProviderError | undefined {
    return this.#inner.take(frame)
  }

  flush(piece: Buffer, frames: readonly SseFrame[]): string | undefined {
    const out = this.#inner.flush(piece, frames)
    return out === undefined ? undefined : this.#frame(out)
  }

  drop(): void {
    this.#inner.drop()
  }

  finish(): { complete: boolean; rest: string } {
    const { complete, rest } = this.#inner.finish()
    return { complete, rest: this.#frame(rest) }
  }

  end(): string {
    return this.#close(this.#inner.end())
  }

  cut(): string {
    return this.#close(this.#inner.cut())
  }

  fail(refusal: Refusal, recordId: string): string {
    return this.#close(this.#inner.fail(refusal, recordId))
  }

  #frame(out: Buffer | string): string {
    const frames = this.#splitter.push(Buffer.from(out))
    return frames.map((frame) => this.#element(frame)).join('')
  }

  #element({ data }: SseFrame): string {
    if (data === '') return ''
    return `${this.#elements++ === 0 ? '[' : ',\r\n'}${data}`
  }

  /** The last event of an upstream may lack its blank line. */
  #close(last: string): string {
    const elements = this.#frame(last)
    const rest = this.#splitter.end()
    const tail = rest === undefined ? '' : this.#element(rest)
    return `${elements}${tail}${this.#elements === 0 ? '[' : ''}]`
  }
}
