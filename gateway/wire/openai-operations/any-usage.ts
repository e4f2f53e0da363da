import type { UsageCounts } from '../../call.ts'
import { asCount, asObject, type JsonObject } from '../json-value.ts'
import { readChatUsage } from '../openai-chat/usage.ts'
import { readResponsesUsage } from '../openai-responses/usage.ts'

const orNothing = (usage: UsageCounts): UsageCounts | undefined =>
  Object.keys(usage).length === 0 ? undefined : usage

/** Tokens of images and audio, which are told apart by kind. Source: API reference of Images and Audio. */
function mediaUsage(usage: JsonObject, details: JsonObject): UsageCounts {
  const text = asCount(details.text_tokens)
  const imageIn = asCount(details.image_tokens)
  const audioIn = asCount(details.audio_tokens)
  const cacheRead = asCount(details.cached_tokens)
  const output = asCount(usage.output_tokens)
  const others = (imageIn ?? 0) + (audioIn ?? 0) + (cacheRead ?? 0)
  const input = text ?? Math.max(0, (asCount(usage.input_tokens) ?? 0) - others)
  return {
    input,
    ...(imageIn !== undefined && imageIn > 0 && { imageIn }),
    ...(audioIn !== undefined && audioIn > 0 && { audioIn }),
    ...(cacheRead !== undefined && cacheRead > 0 && { cacheRead }),
    ...(output !== undefined && { output }),
  }
}

/**
 * What an answer in OpenAI's manner tells of its usage, wherever it tells it; Cohere's and Jina's rerankers too.
 * Undefined where it tells nothing that is counted here (seconds of audio are not).
 */
export function readAnyUsage(json: unknown): UsageCounts | undefined {
  const answer = asObject(json)
  const searches = asCount(asObject(asObject(answer?.meta)?.billed_units)?.search_units)
  if (searches !== undefined) return { searches }
  const usage = asObject(answer?.usage) ?? asObject(asObject(answer?.response)?.usage)
  if (usage === undefined) return undefined
  if (usage.prompt_tokens !== undefined || usage.completion_tokens !== undefined) {
    return orNothing(readChatUsage(answer) ?? {})
  }
  const details = asObject(usage.input_tokens_details) ?? asObject(usage.input_token_details)
  const isMedia = details?.text_tokens !== undefined || details?.image_tokens !== undefined
  if (details !== undefined && isMedia) return mediaUsage(usage, details)
  if (usage.input_tokens !== undefined) return orNothing(readResponsesUsage(answer) ?? {})
  const total = asCount(usage.total_tokens)
  return total === undefined ? undefined : { input: total, output: 0 }
}
