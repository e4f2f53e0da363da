import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import type { RenderedMessage } from '@signalbox/policies'
import type { Operation, Refusal } from '@signalbox/sdk/contract'
import type { Call, Delta, Reply, WireFormat } from './call.ts'

/** An endpoint of a dialect: method and path as express knows them. */
export interface DialectRoute {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete'
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
/** What a request says beside its body. */
export interface RequestHead {
  readonly method: string
  /** Path and query as they came. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  /** Where the caller reached the gateway: `https://llm.acme.test`. */
  readonly origin?: string
  /** The body, where it is not read here but passed on while it comes. */
  readonly upload?: Readable
}
/** A wire format spoken to our clients. Pure: no I/O, no clock. One file per dialect. */
export interface Dialect {
  readonly id: string
  readonly format: WireFormat
  readonly routes: readonly DialectRoute[]
  /** Reads a request. Throws a Refusal `invalid_request` that names the member. */
  decodeRequest(
    raw: Buffer,
    json: Readonly<Record<string, unknown>>,
    operation: Operation,
    head?: RequestHead,
  ): Call
  /** Whether the body of a request is passed on while it comes, and never read here. */
  streamsBody?(head: RequestHead): boolean
  /** Reads a request whose body need not be JSON; undefined where this one's is. */
  decodeBytes?(raw: Buffer, operation: Operation, head: RequestHead): Call | undefined
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
