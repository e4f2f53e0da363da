import type { Refusal } from '@signalbox/sdk/contract'
import type { Dialect } from '../dialect.ts'
import type { Meter } from '../meter.ts'
import type { StreamReader } from '../provider.ts'
import type { SseFrame } from '../wire/sse.ts'
import type { Carrier, ProviderError } from './carrier.ts'

/** Carries a stream between equal formats: the frames' own bytes go out, and the meter reads beside them. */
export class PassThrough implements Carrier {
  readonly lost: readonly string[] = []
  readonly #reader: StreamReader
  readonly #meter: Meter
  readonly #dialect: Dialect
  /** What waits: mostly one frame, and no list is made for it, which would outlive it in the heap. */
  #first: Buffer | undefined
  #others: Buffer[] | undefined
  #outBytes = 0
  /** The provider's own error event went out and says enough. */
  #errorSent = false

  constructor(reader: StreamReader, meter: Meter, dialect: Dialect) {
    this.#reader = reader
    this.#meter = meter
    this.#dialect = dialect
  }

  get waitingBytes(): number {
    return this.#outBytes
  }

  take(frame: SseFrame): ProviderError | undefined {
    const { usage, nativeFinish, textBytes, withhold, error, storedIds } = this.#reader.read(frame)
    const meter = this.#meter
    if (usage !== undefined) meter.report(usage)
    if (nativeFinish !== undefined) meter.finish = nativeFinish
    if (storedIds !== undefined) meter.storedIds = storedIds
    meter.chars += textBytes
    meter.bytes += textBytes
    if (textBytes === 0 && frame.data !== '') meter.silentEvents++
    if (error !== undefined) this.#errorSent = true
    if (!withhold) {
      this.#keep(frame.bytes)
      this.#outBytes += frame.bytes.length
    }
    return error
  }

  #keep(bytes: Buffer): void {
    if (this.#first === undefined) this.#first = bytes
    else if (this.#others === undefined) this.#others = [bytes]
    else this.#others.push(bytes)
  }

  /** Where the piece is exactly the frames it goes out as it is, without a copy. */
  flush(piece: Buffer, frames: readonly SseFrame[]): Buffer | undefined {
    const [first, others = []] = [this.#first, this.#others]
    if (first === undefined) return undefined
    const isPiece =
      this.#outBytes === piece.length &&
      others.length + 1 === frames.length &&
      first.buffer === piece.buffer &&
      first.byteOffset === piece.byteOffset
    const bytes = isPiece ? piece : others.length === 0 ? first : Buffer.concat([first, ...others])
    this.drop()
    return bytes
  }

  drop(): void {
    this.#first = undefined
    this.#others = undefined
    this.#outBytes = 0
  }

  finish(): { complete: boolean; rest: string } {
    return { complete: this.#reader.finish().complete, rest: '' }
  }

  end(): string {
    return ''
  }

  cut(): string {
    return this.#reader.cut()
  }

  fail(refusal: Refusal, recordId: string): string {
    if (this.#errorSent) return ''
    return this.#reader.fail?.(refusal) ?? this.#dialect.encodeStreamError(refusal, recordId)
  }
}
