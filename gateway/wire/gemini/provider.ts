import type { Call } from '../../call.ts'
import type { EncodeOptions, Provider, UpstreamRequest } from '../../provider.ts'
import { spliceRequest } from '../json-splice.ts'
import { asObject, parseExactBytes, withinDepth } from '../json-value.ts'
import { decodeGeminiReply } from './decode-reply.ts'
import { GeminiStreamDecoder } from './decode-stream.ts'
import { encodeGeminiRequest } from './encode-request.ts'
import { classifyGeminiFailure } from './errors.ts'
import { spellingOf } from './read-fields.ts'
import { GeminiStreamReader } from './read-stream.ts'
import { spliceGeminiRequest } from './splice-request.ts'
import { readGeminiUsage } from './usage.ts'

/** What tells one provider of the Gemini format from another. */
export interface GeminiProviderOptions
  extends Pick<Provider, 'id' | 'baseUrl' | 'telemetryName' | 'vendor' | 'authenticate'> {
  /** Where a model is below the base URL, the method left out: `/v1beta/models/gemini-3-pro`. */
  readonly modelPath: (model: string, call: Call) => string
}

/** A provider that speaks the Gemini format. */
export function geminiProvider(options: GeminiProviderOptions): Provider {
  const { modelPath, ...identity } = options
  return {
    ...identity,
    modelPath,
    format: 'gemini',
    encodeRequest: (call, encoding) => encodeRequest(call, encoding, modelPath(encoding.model, call)),
    decodeReply: (json, raw) => decodeGeminiReply(raw === undefined ? json : parseExactBytes(raw, json)),
    readUsage: readGeminiUsage,
    createDecoder: () => new GeminiStreamDecoder(),
    createReader: () => new GeminiStreamReader(),
    classifyFailure: classifyGeminiFailure,
  }
}

function methodOf({ stream, counts }: Call): string {
  if (counts === true) return 'countTokens'
  return stream ? 'streamGenerateContent?alt=sse' : 'generateContent'
}

/** Streams are always asked for as events; an array is made of them here for a caller who wants one. */
function encodeRequest(call: Call, options: EncodeOptions, modelPath: string): UpstreamRequest {
  const head = {
    method: 'POST',
    path: `${modelPath}:${methodOf(call)}`,
    headers: {
      'content-type': 'application/json',
      accept: call.stream ? 'text/event-stream' : 'application/json',
    },
    addedUsage: false,
  } as const
  if (call.counts === true) {
    const body = countedBody(call, options)
    return { ...head, body, dropped: [], responseDropped: [], identity: true }
  }
  if (call.format === 'gemini') {
    return { ...head, ...spliceGeminiRequest(call, options), responseDropped: [], identity: true }
  }
  const { body, ...losses } = encodeGeminiRequest(call.payload(), options)
  return { ...head, ...losses, body: withinDepth(() => Buffer.from(JSON.stringify(body))), identity: false }
}

/** A whole request inside names its model again. */
function countedBody(call: Call, options: EncodeOptions): Buffer {
  const outer = spellingOf('generateContentRequest', call.json)
  if (asObject(call.json[outer])?.model === undefined) return call.raw
  return spliceRequest(call.raw, [
    { path: [outer, 'model'], value: JSON.stringify(`models/${options.model}`) },
  ])
}
