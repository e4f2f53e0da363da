import type { Caps, Decision, Patch, Refusal } from '@signalbox/sdk/contract'
import type { Call, Delta, Finish, Reply, UsageCounts, WireFormat } from './call.ts'
import type { SseFrame } from './wire/sse.ts'

/**
 * What becomes of things that a hop to another format cannot carry. Absent and `warn`: they are named, and
 * what would change the meaning (n > 1, logprobs, audio, forced tools, …) is refused. `strict`: all are
 * refused. `lossy`: all are named.
 */
export type Fidelity = NonNullable<Decision['fidelity']>

/** A request to an upstream. Headers are lower-case; the credential is added by `authenticate` alone. */
export interface UpstreamRequest {
  readonly method: 'POST' | 'GET' | 'DELETE'
  /** Path below the connection's base URL: `/chat/completions`. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  /** Paths of the caller's body that could not be carried. */
  readonly dropped: readonly string[]
  /** `response.…` paths that this pair of formats cannot carry of what the call asked for. */
  readonly responseDropped: readonly string[]
  /** The gateway asked for the stream's usage itself, so the usage event is withheld from the caller. */
  readonly addedUsage: boolean
  /** The caller gets the upstream's own bytes. */
  readonly identity: boolean
}
export interface EncodeOptions {
  /** Upstream model id. */
  readonly model: string
  readonly patch?: Patch
  readonly caps: Caps
  /** Largest output of the model, where the catalogue knows it; a format that must name a maximum uses it. */
  readonly outputTokensMax?: number
  /**
   * The client's headers, lower-case. On a hop of the same format those that belong to it travel
   * (`anthropic-version`, `anthropic-beta`); all others are ignored.
   */
  readonly headers: Readonly<Record<string, string>>
  readonly fidelity?: Fidelity
}
/** Why an upstream's error answer is one, by status and provider code, never by prose. */
export interface UpstreamFailure {
  readonly errorClass:
    | 'rateLimit'
    | 'overload'
    | 'contextWindow'
    | 'contentPolicy'
    | 'timeout'
    | 'unavailable'
    | 'invalid'
  /** Another target may be tried. */
  readonly fallback: boolean
  readonly code?: string
  readonly message?: string
}
/**
 * An event of a stream; `partial` where the bytes ended before it did. What a partial one says counts if it
 * is whole.
 */
export interface SseEvent {
  readonly event: string
  readonly data: string
  readonly partial?: boolean
}
/** Reads an upstream stream as it passes: a pure state machine over SSE events, cut anywhere. */
export interface StreamDecoder {
  push(event: SseEvent): Delta[]
  /** Call at the end of the bytes: whether the answer had ended in its format's own way. */
  finish(): { readonly complete: boolean; readonly deltas: Delta[] }
}
/** What one frame of a stream that passes through says. Most say nothing. */
export interface FrameReading {
  /** The whole so far: overwrite, never add. */
  readonly usage?: UsageCounts
  readonly finish?: Finish
  /** The provider's own word for the finish. */
  readonly nativeFinish?: string
  /** An error event of the upstream; its frame passes as it is. */
  readonly error?: { readonly code: string; readonly message: string }
  /**
   * Length of the generated text in the frame, in bytes of its JSON: enough for an estimate where usage is
   * lost.
   */
  readonly textBytes: number
  /** Ids of what the provider keeps of the answer, as later calls may name them. */
  readonly storedIds?: readonly string[]
  /** The frame is the usage event that the gateway asked for itself: it is not for the caller. */
  readonly withhold: boolean
}
/** Reads a stream of the caller's own format as its bytes pass. */
export interface StreamReader {
  /**
   * Throws a Refusal `upstream_reset` for a partial frame that does not complete the answer: it is not to be
   * passed on.
   */
  read(frame: SseFrame): FrameReading
  /** Call at the end of the bytes: whether the answer had ended in its format's own way. */
  finish(): { readonly complete: boolean }
  /** The format's error ending, where it needs what the stream said before; else the dialect's error event does. */
  fail?(refusal: Refusal): string
}

/** An adapter to an upstream API. Pure: no I/O, no clock, no settings. One file per provider. */
export interface Provider {
  readonly id: string
  readonly format: WireFormat
  /** The same upstream in the other formats that it may speak. */
  readonly otherFormats?: Readonly<Partial<Record<WireFormat, Provider>>>
  /** What the upstream speaks where its connection does not say; absent: `format` alone. */
  readonly spokenFormats?: readonly WireFormat[]
  /** Base URL where a connection names none; as the vendor's own SDK means it. */
  readonly baseUrl: string | undefined
  /** `gen_ai.provider.name`. */
  readonly telemetryName: string
  /** Whether the catalogue's rows of this vendor apply: `openai`, `anthropic`; undefined for any. */
  readonly vendor: string | undefined
  encodeRequest(call: Call, options: EncodeOptions): UpstreamRequest
  authenticate(credential: string | undefined): Readonly<Record<string, string>>
  /** `raw` keeps integers beyond 2^53 exact in tool arguments; without it they are what `json` has. */
  decodeReply(json: unknown, raw?: Buffer): Reply
  /** Usage of a plain answer without decoding the rest. Undefined where none is reported. */
  readUsage(json: unknown): UsageCounts | undefined
  /** Ids of what the provider keeps of a plain answer; absent where it keeps nothing. */
  readStoredIds?(json: unknown): readonly string[]
  createDecoder(): StreamDecoder
  /** For streams that pass through. `addedUsage` as the request's encoding said. */
  createReader(options: { readonly addedUsage: boolean }): StreamReader
  classifyFailure(status: number, body: unknown): UpstreamFailure
}
