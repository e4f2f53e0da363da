import type { Refusal } from '@signalbox/sdk/contract'
import type { Delta } from '../call.ts'
import type { Dialect, StreamEncoder } from '../dialect.ts'
import type { Meter } from '../meter.ts'
import type { StreamDecoder } from '../provider.ts'
import type { Screen } from '../screen.ts'
import type { SseFrame } from '../wire/sse.ts'
import type { Carrier, ProviderError } from './carrier.ts'

export interface TranslationParts {
  readonly meter: Meter
  readonly screen: Screen
  readonly dialect: Dialect
  /** Id and model of an answer whose provider names none. */
  readonly id: string
  readonly model: string
}

/** Carries a stream between two formats: decode → meter → screen → encode. */
export class Translation implements Carrier {
  readonly lost: string[] = []
  readonly #decoder: StreamDecoder
  readonly #encoder: StreamEncoder
  readonly #meter: Meter
  readonly #screen: Screen
  readonly #dialect: Dialect
  readonly #id: string
  readonly #model: string
  #text = ''

  constructor(
    decoder: StreamDecoder,
    encoder: StreamEncoder,
    { meter, screen, dialect, id, model }: TranslationParts,
  ) {
    this.#decoder = decoder
    this.#encoder = encoder
    this.#meter = meter
    this.#screen = screen
    this.#dialect = dialect
    this.#id = id
    this.#model = model
  }

  get waitingBytes(): number {
    return this.#text.length
  }

  take(frame: SseFrame): ProviderError | undefined {
    return frame.data === '' ? undefined : this.#carry(this.#decoder.push(frame))
  }

  flush(): string | undefined {
    if (this.#text === '') return undefined
    const text = this.#text
    this.#text = ''
    return text
  }

  drop(): void {
    this.#text = ''
  }

  finish(): { complete: boolean; rest: string } {
    const { complete, deltas } = this.#decoder.finish()
    this.#carry(deltas)
    this.#encode(this.#screen.flush())
    return { complete, rest: this.flush() ?? '' }
  }

  end(): string {
    return this.#encoder.end()
  }

  cut(): string {
    this.#encode([...this.#screen.flush(), { type: 'end', finish: 'length', nativeFinish: 'length' }])
    return (this.flush() ?? '') + this.#encoder.end()
  }

  fail(refusal: Refusal, recordId: string): string {
    try {
      return this.#encoder.fail(refusal, recordId)
    } catch {
      // An encoder that broke cannot close what it opened; the bare event still says that this is no end.
      return this.#dialect.encodeStreamError(refusal, recordId)
    }
  }

  #named(start: Extract<Delta, { type: 'start' }>): Delta {
    return { ...start, id: start.id || this.#id, model: start.model || this.#model }
  }

  #carry(deltas: readonly Delta[]): ProviderError | undefined {
    this.#meter.observe(deltas)
    return this.#encode(this.#screen.deltas(deltas))
  }

  /** Named once, however often it is lost. */
  #lose(path: string): void {
    if (!this.lost.includes(path)) this.lost.push(path)
  }

  #encode(deltas: readonly Delta[]): ProviderError | undefined {
    let error: ProviderError | undefined
    for (const delta of deltas) {
      if (delta.type === 'error') error ??= delta
      else if (delta.type === 'lost') this.#lose(delta.path)
      else this.#text += this.#encoder.push(delta.type === 'start' ? this.#named(delta) : delta)
    }
    return error
  }
}
