import type { Caps, Decision, Patch, Refusal } from '@signalbox/sdk/contract'
import type { Call, Delta, Finish, Reply, UsageCounts, WireFormat } from './call.ts'
import type { SignedRequest } from './credentials/sign-aws.ts'
import type { ResolvedConnection } from './snapshot.ts'
import type { SseFrame, StreamSplitter } from './wire/sse.ts'

/**
 * What becomes of things that a hop to another format cannot carry. Absent and `warn`: they are named, and
 * what would change the meaning (n > 1, logprobs, audio, forced tools, …) is refused. `strict`: all are
 * refused. `lossy`: all are named.
 */
export type Fidelity = NonNullable<Decision['fidelity']>

/** A request to an upstream. Headers are lower-case; the credential is added by `authenticate` alone. */
export interface UpstreamRequest {
  readonly method: 'POST' | 'GET' | 'DELETE' | 'PUT' | 'PATCH' | 'HEAD'
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
  /** Answered here with this, as an estimate: no upstream is asked. */
  readonly estimate?: Buffer
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
  /** Version of the upstream's API, where the connection names one. */
  readonly apiVersion?: string
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
  /** When another try may help, in seconds, where the body says it. */
  readonly retryAfterS?: number
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
  /** The format's own ending of an answer that is cut here, with its finish for a limit that was reached. */
  cut(): string
  /** The format's error ending, where it needs what the stream said before; else the dialect's error event does. */
  fail?(refusal: Refusal): string
}

/** A request for an access token: a POST outside of the provider's base URL, answered as RFC 6749 §5.1 says. */
export interface TokenRequest extends Pick<UpstreamRequest, 'path' | 'headers' | 'body'> {
  readonly baseUrl: string
}
/** A request as it goes out, for providers that sign it. */
export interface RequestToSign extends SignedRequest {
  /** Of the connection, where it names one. */
  readonly region: string | undefined
}
/** The formats of upstreams: those that clients speak too, and those of one provider alone. */
export type ProviderFormat = WireFormat | 'bedrock-converse' | 'cohere-chat'

/** An adapter to an upstream API. Pure: no I/O, no clock, no settings. One file per provider. */
export interface Provider {
  readonly id: string
  readonly format: ProviderFormat
  /** The same upstream in the other formats that it may speak. */
  readonly otherFormats?: Readonly<Partial<Record<WireFormat, Provider>>>
  /** What the upstream speaks where its connection does not say; absent: `format` alone. */
  readonly spokenFormats?: readonly WireFormat[]
  /** In which formats a model is asked there, where that goes by the model; it stands above `spokenFormats`. */
  formatsOf?(model: string): readonly WireFormat[]
  /** Base URL where a connection names none; as the vendor's own SDK means it. */
  readonly baseUrl: string | undefined
  /** Base URL of a connection that names none, where it follows from what it does name. */
  baseUrlOf?(connection: Pick<ResolvedConnection, 'project' | 'region' | 'credential'>): string | undefined
  /** `gen_ai.provider.name`. */
  readonly telemetryName: string
  /** Whether the catalogue's rows of this vendor apply: `openai`, `anthropic`; undefined for any. */
  readonly vendor: string | undefined
  encodeRequest(call: Call, options: EncodeOptions): UpstreamRequest
  /**
   * How a credential is exchanged for the access token that `authenticate` then gets in its place; undefined where
   * it is sent itself. Throws a Refusal `connection_unavailable` for one that cannot be used.
   */
  tokenRequest?(credential: string, nowMs: number): TokenRequest | undefined
  /** Whether `authenticate` wants the request, to sign it. */
  readonly signs?: true
  /** Headers with the credential. */
  authenticate(credential: string | undefined, request?: RequestToSign): Readonly<Record<string, string>>
  /** Where an operation that is passed on lies below the base URL, where that is not the format's own path. */
  operationPath?(path: string, options: Pick<EncodeOptions, 'model' | 'apiVersion'>): string
  /** Where a model lies below the base URL, in formats that have it in the path. */
  modelPath?(model: string, call: Call): string
  /** The answer to an operation that is passed on, in the caller's form. */
  mapAnswer?(json: unknown, call: Call): unknown
  /** `raw` keeps integers beyond 2^53 exact in tool arguments; without it they are what `json` has. */
  decodeReply(json: unknown, raw?: Buffer): Reply
  /** Usage of a plain answer without decoding the rest. Undefined where none is reported. */
  readUsage(json: unknown): UsageCounts | undefined
  /** Ids of what the provider keeps of a plain answer; absent where it keeps nothing. */
  readStoredIds?(json: unknown): readonly string[]
  createDecoder(): StreamDecoder
  /** Frames of its streams, where they are no server-sent events. */
  createSplitter?(): StreamSplitter
  /** For streams that pass through. `addedUsage` as the request's encoding said. */
  createReader(options: { readonly addedUsage: boolean }): StreamReader
  classifyFailure(status: number, body: unknown): UpstreamFailure
}
