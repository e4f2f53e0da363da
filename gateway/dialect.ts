import type { RenderedMessage } from '@signalbox/policies'
import type { Operation, Refusal } from '@signalbox/sdk/contract'
import type { Call, Delta, Reply, WireFormat } from './call.ts'

/** An endpoint of a dialect: method and path as express knows them. */
export interface DialectRoute {
  readonly method: 'get' | 'post'
  readonly path: string
  readonly operation: Operation
}
/**
 * Turns canonical events into the dialect's stream text. `fail` and `end` leave the stream well closed;
 * nothing is pushed after them. `error` and `lost` deltas give no text: who relays turns the first into
 * `fail` and records the second.
 */
export interface StreamEncoder {
  push(delta: Delta): string
  /** The dialect's own ending; called after the last delta. */
  end(): string
  /** The dialect's error event, after whatever was sent; incomplete tool calls are not closed as complete. */
  fail(refusal: Refusal, recordId: string): string
}
/** A wire format spoken to our clients. Pure: no I/O, no clock. One file per dialect. */
export interface Dialect {
  readonly id: string
  readonly format: WireFormat
  readonly routes: readonly DialectRoute[]
  /** Reads a request. Throws a Refusal `invalid_request` that names the member. */
  decodeRequest(raw: Buffer, json: Readonly<Record<string, unknown>>, operation: Operation): Call
  /**
   * The request's bytes with the messages of a prompt: its system messages before those of the caller, its other
   * messages before the conversation. All else stays as it came. A dialect without it takes no prompts.
   */
  insertMessages?(raw: Buffer, messages: readonly RenderedMessage[]): Buffer
  /** `nowMs` is the time of the answer, for formats that carry one. `dropped` are `response.…` paths. */
  encodeReply(reply: Reply, call: Call, nowMs: number): { body: unknown; dropped: string[] }
  createEncoder(call: Call, nowMs: number): StreamEncoder
  /** The error body of the dialect, for a refusal before the answer began. */
  encodeError(refusal: Refusal, recordId: string | undefined): unknown
  /** What an error event looks like on a stream that passes through in this format. */
  encodeStreamError(refusal: Refusal, recordId: string): string
}
