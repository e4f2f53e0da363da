import type { UsageCounts } from '../../call.ts'
import { asCount, asObject } from '../json-value.ts'
import { countSearches } from './web-search.ts'

/**
 * The usage of a Responses answer, wherever it stands: in the answer itself, or in the `response` of an event.
 * Undefined where there is none. `input_tokens` includes cached ones, which are units of their own here;
 * `output_tokens` includes reasoning.
 */
export function readResponsesUsage(json: unknown): UsageCounts | undefined {
  const answer = asObject(json)
  const usage = asObject(answer?.usage) ?? asObject(asObject(answer?.response)?.usage)
  if (usage === undefined) return undefined
  const searches = countSearches(answer?.output ?? asObject(answer?.response)?.output)
  const prompt = asCount(usage.input_tokens)
  const completion = asCount(usage.output_tokens)
  const input = asObject(usage.input_tokens_details)
  const cacheRead = asCount(input?.cached_tokens)
  const cacheWrite5m = asCount(input?.cache_write_tokens)
  const reasoning = asCount(asObject(usage.output_tokens_details)?.reasoning_tokens)
  const fresh = (prompt ?? 0) - (cacheRead ?? 0) - (cacheWrite5m ?? 0)
  return {
    ...(prompt !== undefined && { input: Math.max(0, fresh) }),
    ...(cacheRead !== undefined && { cacheRead }),
    ...(cacheWrite5m !== undefined && { cacheWrite5m }),
    ...(completion !== undefined && { output: completion }),
    ...(reasoning !== undefined && { reasoning }),
    ...(searches > 0 && { searches }),
  }
}

/** Usage as Responses writes it; null where none is known, which is not the same as zero. */
export function encodeResponsesUsage(usage: UsageCounts): Record<string, unknown> | null {
  if (Object.keys(usage).length === 0) return null
  const cached = usage.cacheRead ?? 0
  const cacheWrite = (usage.cacheWrite5m ?? 0) + (usage.cacheWrite1h ?? 0)
  const input = (usage.input ?? 0) + cached + cacheWrite + (usage.audioIn ?? 0)
  const output = (usage.output ?? 0) + (usage.audioOut ?? 0)
  return {
    input_tokens: input,
    input_tokens_details: {
      cached_tokens: cached,
      ...(cacheWrite > 0 && { cache_write_tokens: cacheWrite }),
    },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: usage.reasoning ?? 0 },
    total_tokens: input + output,
  }
}
