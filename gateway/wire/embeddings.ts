import type { Call, UsageCounts } from '../call.ts'
import type { NativeRequest, TranslatedOperation } from '../native-operation.ts'
import type { EncodeOptions, Provider } from '../provider.ts'
import { asArray, asCount, asObject, isObject, type JsonObject } from './json-value.ts'

/** What a caller wants embedded, in whatever format it is said. */
export interface EmbeddingWish {
  readonly texts: readonly string[]
  readonly dimensions?: number
  /** Members that an upstream of another format has no place for, by path in the caller's body. */
  readonly dropped: readonly string[]
}
/** Vectors in the order of the texts, and what they cost. */
export interface Embedded {
  readonly vectors: readonly (readonly number[])[]
  readonly inputTokens?: number
}

const jsonHeaders = { 'content-type': 'application/json', accept: 'application/json' } as const

function request(path: string, body: unknown, { dropped }: EmbeddingWish): NativeRequest {
  const bytes = Buffer.from(JSON.stringify(body))
  return { method: 'POST', path, headers: jsonHeaders, body: bytes, identity: false, dropped }
}

/** Usage of an embeddings answer in OpenAI's form; nothing comes out that is paid for. */
export function readOpenAiEmbeddingUsage(json: unknown): UsageCounts | undefined {
  const usage = asObject(asObject(json)?.usage)
  const input = asCount(usage?.prompt_tokens) ?? asCount(usage?.total_tokens)
  return input === undefined ? undefined : { input, output: 0 }
}

/** The same in Gemini's, which some models report. */
export function readGeminiEmbeddingUsage(json: unknown): UsageCounts | undefined {
  const input = asCount(asObject(asObject(json)?.usageMetadata)?.promptTokenCount)
  return input === undefined ? undefined : { input, output: 0 }
}

const numbersOf = (value: unknown): number[] => asArray(value).filter((each) => typeof each === 'number')

function readOpenAi(json: unknown): Embedded {
  const data = asArray(asObject(json)?.data).filter(isObject)
  // The upstream numbers them.
  const sorted = data.toSorted((a, b) => (asCount(a.index) ?? 0) - (asCount(b.index) ?? 0))
  const inputTokens = readOpenAiEmbeddingUsage(json)?.input
  const vectors = sorted.map(({ embedding }) => numbersOf(embedding))
  return { vectors, ...(inputTokens !== undefined && { inputTokens }) }
}

function readGemini(json: unknown): Embedded {
  const inputTokens = readGeminiEmbeddingUsage(json)?.input
  const vectors = asArray(asObject(json)?.embeddings).map((each) => numbersOf(asObject(each)?.values))
  return { vectors, ...(inputTokens !== undefined && { inputTokens }) }
}

/** How a dialect says its wish and hears what came of it. */
export interface EmbeddingDialect {
  readonly wish: (call: Call) => EmbeddingWish
  readonly answer: (embedded: Embedded, call: Call) => unknown
}

/** The operation as upstreams of OpenAI's format have it. */
export function embeddingsOnOpenAi({ wish, answer }: EmbeddingDialect): TranslatedOperation {
  return {
    encode(call: Call, { model }: EncodeOptions): NativeRequest {
      const wanted = wish(call)
      const { texts: input, dimensions } = wanted
      const size = dimensions !== undefined && { dimensions }
      return request('/embeddings', { model, input, encoding_format: 'float', ...size }, wanted)
    },
    readUsage: readOpenAiEmbeddingUsage,
    mapAnswer: (json, call) => answer(readOpenAi(json), call),
  }
}

/** The operation as Gemini has it: a batch, also of one. Source: ai.google.dev/api/embeddings. */
export function embeddingsOnGemini({ wish, answer }: EmbeddingDialect): TranslatedOperation {
  return {
    encode(call: Call, { model }: EncodeOptions, { modelPath }: Provider): NativeRequest {
      const wanted = wish(call)
      const size = wanted.dimensions !== undefined && { outputDimensionality: wanted.dimensions }
      const requests = wanted.texts.map((text) => ({
        model: `models/${model}`,
        content: { parts: [{ text }] },
        ...size,
      }))
      const path = modelPath?.(model, call) ?? `/v1beta/models/${encodeURIComponent(model)}`
      return request(`${path}:batchEmbedContents`, { requests }, wanted)
    },
    readUsage: readGeminiEmbeddingUsage,
    mapAnswer: (json, call) => answer(readGemini(json), call),
  }
}

/** Members of a body that are not among those that another format has a place for. */
export function othersThan(known: ReadonlySet<string>, body: JsonObject, parent = ''): string[] {
  return Object.keys(body)
    .filter((name) => !known.has(name) && body[name] !== null && body[name] !== undefined)
    .map((name) => `${parent}${name}`)
}
