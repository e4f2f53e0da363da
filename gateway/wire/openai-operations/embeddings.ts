import type { Call, UsageCounts } from '../../call.ts'
import type { NativeOperation } from '../../native-operation.ts'
import { asArray, asCount, asObject, asString, type JsonObject } from '../json-value.ts'
import { Problems } from '../problems.ts'
import { jsonRequest, nativeCall, summaryOf } from './json-operation.ts'

/** Texts, or tokens, of one request. Source: API reference of Embeddings. */
const inputsMax = 2048

/** Usage of an embeddings answer; nothing comes out that is paid for. */
export function readEmbeddingsUsage(json: unknown): UsageCounts | undefined {
  const usage = asObject(asObject(json)?.usage)
  const input = asCount(usage?.prompt_tokens) ?? asCount(usage?.total_tokens)
  return input === undefined ? undefined : { input, output: 0 }
}

/** Embeddings as OpenAI's format has them, passed on as they came: texts or tokens, floats or base64. */
export const embeddings: NativeOperation = {
  name: 'embeddings',
  format: 'openai-chat',
  billing: 'input',
  answer: 'json',
  encode: (call, options) => jsonRequest(call, options, '/embeddings'),
  readUsage: readEmbeddingsUsage,
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
