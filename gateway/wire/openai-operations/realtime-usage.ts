import type { UsageCounts } from '../../call.ts'
import { asCount, asObject } from '../json-value.ts'

const less = (total: number | undefined, part: number | undefined): number =>
  Math.max(0, (total ?? 0) - (part ?? 0))

/**
 * The usage of one turn, from its `response.done`: tokens by kind, what came from the cache by itself. Undefined where
 * none is told. Source: API reference of Realtime server events.
 */
export function readRealtimeUsage(response: unknown): UsageCounts | undefined {
  const usage = asObject(asObject(response)?.usage)
  if (usage === undefined) return undefined
  const input = asObject(usage.input_token_details)
  const output = asObject(usage.output_token_details)
  const cached = asObject(input?.cached_tokens_details)
  const cacheRead = asCount(input?.cached_tokens)
  const audioIn = less(asCount(input?.audio_tokens), asCount(cached?.audio_tokens))
  const imageIn = less(asCount(input?.image_tokens), asCount(cached?.image_tokens))
  const audioOut = asCount(output?.audio_tokens) ?? 0
  const allIn = less(asCount(usage.input_tokens), cacheRead)
  return {
    input: less(allIn, audioIn + imageIn),
    output: less(asCount(usage.output_tokens), audioOut),
    ...(cacheRead !== undefined && cacheRead > 0 && { cacheRead }),
    ...(audioIn > 0 && { audioIn }),
    ...(imageIn > 0 && { imageIn }),
    ...(audioOut > 0 && { audioOut }),
  }
}
