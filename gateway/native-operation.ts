import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import { type BatchKind, Refusal } from '@signalbox/sdk/contract'
import type { Call, UsageCounts, WireFormat } from './call.ts'
import type { EncodeOptions, Provider, ProviderFormat, StreamReader, UpstreamRequest } from './provider.ts'
import { readAnyUsage } from './wire/openai-operations/any-usage.ts'

/**
 * What is paid for. `tokens`: what went in and came out; `input`: what went in alone; `free`: nothing; `reported`:
 * what the answer itself tells, and nothing is known where it tells nothing.
 */
export type Billing = 'tokens' | 'input' | 'free' | 'reported'

/** What such a request is made of; `identity` where the caller gets the upstream's own bytes. */
export interface NativeRequest {
  readonly method: UpstreamRequest['method']
  /** Below the connection's base URL, with its query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  readonly addedUsage?: boolean
  readonly identity?: boolean
  /** Paths of the caller's body that could not be carried. */
  readonly dropped?: readonly string[]
}

/** An operation said in the words of another format, and its answer brought back. */
export interface TranslatedOperation {
  encode(call: Call, options: EncodeOptions, provider: Provider): NativeRequest
  readUsage(json: unknown): UsageCounts | undefined
  mapAnswer(json: unknown, call: Call): unknown
}

/**
 * An operation that only an upstream of its own format can serve: it is passed on as it is, never said in another
 * format. Embeddings, images, files and the like.
 */
export interface NativeOperation {
  /** As callers read it: `embeddings`. */
  readonly name: string
  /** The format of providers that have it; undefined: whatever the connection speaks. */
  readonly format: WireFormat | undefined
  readonly billing: Billing
  /** How the answer comes: a JSON object or a stream of events, or any bytes. */
  readonly answer: 'json' | 'bytes'
  /** The one connection that may serve it. */
  readonly connection?: string
  /** The body, where it is passed on while it comes. Only one target can be tried then. */
  readonly upload?: Readable
  encode(call: Call, options: EncodeOptions, provider: Provider): NativeRequest
  /** How upstreams of other formats have the same, by their format. */
  readonly elsewhere?: Readonly<Partial<Record<ProviderFormat, TranslatedOperation>>>
  /** Where it is left out, usage is read as the connection's provider tells it. */
  readUsage?(json: unknown): UsageCounts | undefined
  /** The answer's headers where some lead to the provider, as the caller gets them, and what they say is kept now. */
  mapHeaders?(headers: IncomingHttpHeaders): {
    readonly headers: IncomingHttpHeaders
    readonly storedIds: readonly string[]
  }
  /** Ids of what the provider keeps of it, as later calls may name them. */
  readStoredIds?(json: unknown): readonly string[]
  createReader?(options: { readonly addedUsage: boolean }): StreamReader
  /** It begins a job that outlives the call: in whose manner, and the member that names its input, if one does. */
  readonly job?: { readonly kind: BatchKind; readonly input?: string }
  /** The answer may list things of others, which are left out. */
  readonly listsStored?: boolean
  /** The id of what is no longer kept once this went well. */
  readonly forgets?: string
  /** The answer in the caller's form, where that is not the upstream's. */
  mapAnswer?(json: unknown, call: Call): unknown
  /** The answer where no upstream can give one; it is marked as an estimate. */
  estimate?(call: Call): unknown
}

/** The provider as it serves an operation natively: its own address, credential and errors. */
export function nativeProvider(base: Provider, operation: NativeOperation, format: WireFormat): Provider {
  const { format: wanted } = operation
  const speaker = wanted === undefined || base.format === wanted ? base : base.otherFormats?.[wanted]
  const translated = speaker === undefined ? operation.elsewhere?.[base.format] : undefined
  const { createReader } = operation
  const mapAnswer = translated?.mapAnswer ?? operation.mapAnswer
  return {
    ...(speaker ?? base),
    // Its errors are the caller's own where its answers are.
    format: mapAnswer === undefined ? format : (speaker ?? base).format,
    encodeRequest: (call, options) => encodeNative(call, options, { base, speaker, translated, operation }),
    readUsage: (json) => ((translated ?? operation).readUsage ?? usageOf(speaker ?? base))(json),
    readStoredIds: (json) => operation.readStoredIds?.(json) ?? [],
    ...(mapAnswer !== undefined && { mapAnswer }),
    ...(createReader !== undefined && { createReader }),
  }
}

/** Usage as an operation of a provider may tell it: in the provider's own manner, or in OpenAI's. */
function usageOf(provider: Provider): (json: unknown) => UsageCounts | undefined {
  return (json) => {
    const own = provider.format === 'openai-chat' ? undefined : provider.readUsage(json)
    return own !== undefined && Object.keys(own).length > 0 ? own : readAnyUsage(json)
  }
}

interface Serving {
  readonly base: Provider
  /** The provider in the operation's own format, where it speaks that. */
  readonly speaker: Provider | undefined
  readonly translated: TranslatedOperation | undefined
  readonly operation: NativeOperation
}

function encodeNative(call: Call, options: EncodeOptions, serving: Serving): UpstreamRequest {
  const { base, speaker = base, translated, operation } = serving
  const rest = { dropped: [], responseDropped: [] } as const
  if (serving.speaker !== undefined || translated !== undefined) {
    const made = (translated ?? operation).encode(call, options, speaker)
    const path = speaker.operationPath?.(made.path, options) ?? made.path
    return { ...rest, addedUsage: false, identity: translated === undefined, ...made, path }
  }
  if (operation.estimate === undefined) {
    const message = `The chosen model's provider has no ${operation.name}.`
    throw new Refusal('unsupported_feature', { message, param: 'model' })
  }
  const estimate = Buffer.from(JSON.stringify(operation.estimate(call)))
  const head = { method: 'POST', path: '', headers: {}, body: Buffer.alloc(0) } as const
  return { ...rest, ...head, addedUsage: false, identity: true, estimate }
}
