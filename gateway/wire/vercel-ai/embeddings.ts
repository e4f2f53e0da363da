import type { Call } from '../../call.ts'
import type { NativeOperation } from '../../native-operation.ts'
import { type Embedded, type EmbeddingWish, embeddingsOnGemini, embeddingsOnOpenAi } from '../embeddings.ts'
import { asArray, asCount, asObject, asString, type JsonObject } from '../json-value.ts'
import { nativeCall, summaryOf } from '../openai-operations/json-operation.ts'
import { Problems } from '../problems.ts'

/** What a caller says to OpenAI or Google in particular of the size is the size; other options of vendors are lost. */
function wishOf({ json }: Call): EmbeddingWish {
  const options = asObject(json.providerOptions) ?? {}
  const dimensions =
    asCount(json.dimensions) ??
    asCount(asObject(options.openai)?.dimensions) ??
    asCount(asObject(options.google)?.outputDimensionality)
  const dropped = Object.entries(options).flatMap(([vendor, own]) =>
    Object.keys(asObject(own) ?? {})
      .filter((name) => name !== 'dimensions' && name !== 'outputDimensionality')
      .map((name) => `providerOptions.${vendor}.${name}`),
  )
  const texts = asArray(json.values).flatMap((each) => asString(each) ?? [])
  return { texts, ...(dimensions !== undefined && { dimensions }), dropped }
}

function answerOf({ vectors, inputTokens }: Embedded): unknown {
  return {
    embeddings: vectors,
    ...(inputTokens !== undefined && { usage: { tokens: inputTokens } }),
    warnings: [],
  }
}

const protocol = { wish: wishOf, answer: answerOf }

/** Embeddings as the AI SDK asks for them, from upstreams that speak OpenAI's format or Gemini's. */
export const vercelEmbeddings: NativeOperation = {
  name: 'embeddings',
  format: 'openai-chat',
  billing: 'input',
  answer: 'json',
  ...embeddingsOnOpenAi(protocol),
  elsewhere: { gemini: embeddingsOnGemini(protocol) },
}

/**
 * Reads an embedding call of the AI SDK's gateway protocol.
 * @throws Refusal `invalid_request` that names all that is wrong.
 */
export function decodeVercelEmbeddings(raw: Buffer, json: JsonObject, model: string): Call {
  const problems = new Problems()
  problems.check(json, { dimensions: 'positive', providerOptions: 'object' })
  if (problems.require(json, 'values', 'array')) {
    const values = asArray(json.values)
    if (values.length === 0) problems.add('values', 'must not be empty')
    const wrong = values.findIndex((value) => typeof value !== 'string')
    if (wrong !== -1) problems.add(`values[${wrong}]`, 'must be a string')
  }
  problems.throwIfAny()
  const texts = asArray(json.values).flatMap((value) => asString(value) ?? [])
  const head = { raw, json, dialect: 'vercel-ai', format: 'vercel-ai', operation: 'embeddings' } as const
  const summary = summaryOf(texts, { maxOutputTokens: 0 })
  return nativeCall({ ...head, summary, texts, native: vercelEmbeddings, model, stream: false })
}
