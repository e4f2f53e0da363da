import type { Call } from '../../call.ts'
import type { NativeOperation } from '../../native-operation.ts'
import { asArray, asObject, asString, type JsonObject } from '../json-value.ts'
import { Problems } from '../problems.ts'
import { jsonRequest, nativeCall, summaryOf } from './json-operation.ts'

/** The model where a request names none. Source: API reference of Moderations. */
const modelDefault = 'omni-moderation-latest'

/** Moderations cost nothing and report no usage. */
export const moderations: NativeOperation = {
  name: 'moderations',
  format: 'openai-chat',
  billing: 'free',
  answer: 'json',
  encode: (call, options) => jsonRequest(call, options, '/moderations'),
  readUsage: () => undefined,
}

function textsOf(input: unknown, problems: Problems): string[] {
  if (typeof input === 'string') return [input]
  if (!Array.isArray(input)) {
    problems.add('input', 'must be a text or an array')
    return []
  }
  const wrong = input.findIndex((each) => typeof each !== 'string' && asObject(each) === undefined)
  if (wrong !== -1) problems.add(`input[${wrong}]`, 'must be a text or an object with a `type`')
  return input.flatMap((each) => asString(each) ?? asString(asObject(each)?.text) ?? [])
}

/**
 * Reads a request for a moderation.
 * @throws Refusal `invalid_request` that names all that is wrong.
 */
export function decodeModerations(raw: Buffer, json: JsonObject, dialect: string): Call {
  const problems = new Problems()
  problems.check(json, { model: 'string' })
  const texts = textsOf(json.input, problems)
  problems.throwIfAny()
  const hasImages = asArray(json.input).some((each) => asObject(each)?.type === 'image_url')
  const summary = summaryOf(texts, { maxOutputTokens: 0 })
  const messages = { ...summary.messages, hasImages }
  const head = { raw, json, dialect, format: 'openai-chat', operation: 'moderation' } as const
  return nativeCall({
    ...head,
    summary: { ...summary, messages },
    texts,
    native: moderations,
    model: asString(json.model) ?? modelDefault,
    stream: false,
  })
}
