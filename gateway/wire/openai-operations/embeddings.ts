import { Refusal } from '@signalbox/sdk/contract'
import type { Call } from '../../call.ts'
import type { NativeOperation } from '../../native-operation.ts'
import {
  type Embedded,
  type EmbeddingWish,
  embeddingsOnGemini,
  othersThan,
  readOpenAiEmbeddingUsage,
} from '../embeddings.ts'
import { asArray, asCount, asString, type JsonObject } from '../json-value.ts'
import { Problems } from '../problems.ts'
import { jsonRequest, nativeCall, summaryOf } from './json-operation.ts'

/** Texts, or tokens, of one request. Source: API reference of Embeddings. */
const inputsMax = 2048

/** What another format has a place for; who asked is lost there by name. */
const known = new Set(['model', 'input', 'dimensions', 'encoding_format'])

/** @throws Refusal `unsupported_feature` for tokens, which are those of OpenAI's models. */
function wishOf({ json }: Call): EmbeddingWish {
  const texts = (typeof json.input === 'string' ? [json.input] : asArray(json.input)).flatMap(
    (each) => asString(each) ?? [],
  )
  const dimensions = asCount(json.dimensions)
  const isText =
    texts.length > 0 && (typeof json.input === 'string' || texts.length === asArray(json.input).length)
  if (!isText) {
    const message = 'The chosen model embeds texts, not tokens of another vendor.'
    throw new Refusal('unsupported_feature', { message, param: 'input' })
  }
  return { texts, ...(dimensions !== undefined && { dimensions }), dropped: othersThan(known, json) }
}

/** A vector as the caller wants it: numbers, or the bytes of 32-bit floats. */
function vectorFor(vector: readonly number[], format: unknown): readonly number[] | string {
  return format === 'base64' ? Buffer.from(Float32Array.from(vector).buffer).toString('base64') : vector
}

function answerOf({ vectors, inputTokens }: Embedded, { json, model }: Call): unknown {
  const data = vectors.map((vector, index) => {
    return { object: 'embedding', index, embedding: vectorFor(vector, json.encoding_format) }
  })
  const usage = inputTokens !== undefined && {
    usage: { prompt_tokens: inputTokens, total_tokens: inputTokens },
  }
  return { object: 'list', data, model, ...usage }
}

/**
 * Embeddings as OpenAI's format has them, passed on as they came: texts or tokens, floats or base64. Gemini's models
 * are asked in its own words.
 */
export const embeddings: NativeOperation = {
  name: 'embeddings',
  format: 'openai-chat',
  billing: 'input',
  answer: 'json',
  encode: (call, options) => jsonRequest(call, options, '/embeddings'),
  readUsage: readOpenAiEmbeddingUsage,
  elsewhere: { gemini: embeddingsOnGemini({ wish: wishOf, answer: answerOf }) },
}

/** The texts of an input; tokens have none. Notes what is neither. */
function textsOf(input: unknown, problems: Problems): string[] {
  if (typeof input === 'string') return [input]
  const isTokens = (value: unknown): boolean =>
    Array.isArray(value) && value.every((each) => asCount(each) !== undefined)
  if (!Array.isArray(input) || input.length === 0) {
    problems.add('input', 'must be a text, or an array of texts or of tokens, and not empty')
    return []
  }
  if (isTokens(input)) return []
  if (input.length > inputsMax) problems.add('input', `must have at most ${inputsMax} entries`)
  const wrong = input.findIndex((each) => typeof each !== 'string' && !isTokens(each))
  if (wrong !== -1) problems.add(`input[${wrong}]`, 'must be a text or an array of tokens')
  return asArray(input).flatMap((each) => asString(each) ?? [])
}

/**
 * Reads a request for embeddings.
 * @throws Refusal `invalid_request` that names all that is wrong.
 */
export function decodeEmbeddings(raw: Buffer, json: JsonObject, dialect: string): Call {
  const problems = new Problems()
  if (problems.require(json, 'model', 'string') && json.model === '')
    problems.add('model', 'must not be empty')
  problems.check(json, { dimensions: 'positive', encoding_format: 'string', user: 'string' })
  const texts = textsOf(json.input, problems)
  problems.throwIfAny()
  const userId = asString(json.user)
  const summary = summaryOf(texts, { maxOutputTokens: 0, ...(userId !== undefined && { userId }) })
  const head = { raw, json, dialect, format: 'openai-chat', operation: 'embeddings' } as const
  return nativeCall({ ...head, summary, texts, native: embeddings, stream: false })
}
