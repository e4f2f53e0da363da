import type { Refusal } from '@signalbox/sdk/contract'
import type { SseFrame } from '../wire/sse.ts'

/** An error event of the upstream itself. */
export interface ProviderError {
  readonly code: string
  readonly message: string
  readonly status?: number
}

/**
 * What a stream's frames become on the way to the caller: the middle of the chain. It collects what there is to send
 * until `flush`, and shows the meter everything. Throws where a frame cannot be read.
 */
export interface Carrier {
  /** Reads a frame; gives the upstream's error where the frame is one. */
  take(frame: SseFrame): ProviderError | undefined
  /** What is to be sent after these frames, which came in this piece; undefined where it is nothing. */
  flush(piece: Buffer, frames: readonly SseFrame[]): Buffer | string | undefined
  /** Forgets what was collected and not flushed. */
  drop(): void
  /** Bytes that wait for `flush`. */
  readonly waitingBytes: number
  /** Nothing more comes: whether the answer had ended in its format's own way. */
  finish(): { readonly complete: boolean; readonly rest: string }
  /** The dialect's own ending of a complete answer. */
  end(): string
  /** The dialect's own ending of an answer that is cut: for want of room, as if its limit had been reached. */
  cut(): string
  /** The dialect's error event after whatever was sent; empty for an error that has already gone out. */
  fail(refusal: Refusal, recordId: string): string
  /** Answer paths that were lost although nobody had said so before. */
  readonly lost: readonly string[]
}
