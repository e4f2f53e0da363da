import { asObject, asString, type JsonObject, withinDepth } from '../json-value.ts'
import { checkResponsesRequest } from '../openai-responses/check-request.ts'
import { decodeResponsesRequest } from '../openai-responses/decode-request.ts'
import { encodeChatRequest } from './encode-request.ts'
import { openAiQuirks } from './quirks.ts'

/** Members that mean the same in both formats. */
const shared = ['metadata', 'prompt_cache_key', 'prompt_cache_retention', 'service_tier', 'store'] as const

export interface ConvertedRequest {
  readonly json: JsonObject
  /** What Chat Completions has no place for, by path in the body as it came. */
  readonly dropped: readonly string[]
}

/**
 * A body in the form of Responses that came to the endpoint of Chat Completions, as Cursor sends it for some models
 * while it reads answers of Chat Completions; undefined where the body is no such one. Throws a Refusal as both formats
 * do. Source: forum.cursor.com/t/159298.
 */
export function chatFromResponses(json: JsonObject): ConvertedRequest | undefined {
  if (json.messages !== undefined || json.input === undefined) return undefined
  checkResponsesRequest(json)
  return withinDepth(() => {
    const payload = decodeResponsesRequest({ ...json, stream_options: null })
    const options = { model: asString(json.model) ?? '', caps: {}, headers: {} }
    const { body, dropped, responseDropped } = encodeChatRequest(payload, false, options, openAiQuirks)
    for (const name of shared) if (json[name] !== undefined) body[name] = json[name]
    const verbosity = asObject(json.text)?.verbosity
    if (verbosity !== undefined) body.verbosity = verbosity
    if (json.stream !== undefined) body.stream = json.stream
    if (asObject(json.stream_options)?.include_usage === true) body.stream_options = { include_usage: true }
    const kept = new Set<string>([...shared, 'text.verbosity'])
    return { json: body, dropped: [...dropped.filter((path) => !kept.has(path)), ...responseDropped] }
  })
}
