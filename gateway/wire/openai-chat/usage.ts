import type { UsageCounts } from '../../call.ts'
import { asArray, asCount, asObject, type JsonObject } from '../json-value.ts'

/**
 * The usage of a Chat Completions answer or chunk, wherever the server puts it: `usage`, Groq's
 * `x_groq.usage`, Moonshot's `choices[0].usage`. Undefined where there is none.
 */
export function readChatUsage(json: unknown): UsageCounts | undefined {
  const answer = asObject(json)
  const usage =
    asObject(answer?.usage) ??
    asObject(asObject(answer?.x_groq)?.usage) ??
    asObject(asObject(asArray(answer?.choices)[0])?.usage)
  return usage && countsOf(usage)
}

/**
 * `prompt_tokens` includes cached and audio tokens, which are units of their own here; so is audio in
 * `completion_tokens`, which includes reasoning. A server that counts reasoning (xAI) or audio (Mistral)
 * beside them shows that in its total.
 */
function countsOf(usage: JsonObject): UsageCounts {
  const prompt = asCount(usage.prompt_tokens)
  const completion = asCount(usage.completion_tokens)
  const input = asObject(usage.prompt_tokens_details)
  const output = asObject(usage.completion_tokens_details)
  const cacheRead = asCount(input?.cached_tokens) ?? asCount(usage.prompt_cache_hit_tokens)
  const cacheWrite5m = asCount(input?.cache_write_tokens)
  const audioIn = asCount(input?.audio_tokens)
  const audioOut = asCount(output?.audio_tokens)
  const reasoning = asCount(output?.reasoning_tokens) ?? asCount(usage.reasoning_tokens)
  const beside = (asCount(usage.total_tokens) ?? 0) - (prompt ?? 0) - (completion ?? 0)
  const isBeside = (count: number | undefined, other: number | undefined): boolean =>
    beside > 0 && count !== undefined && count > 0 && (beside === count || beside === count + (other ?? 0))
  const audioInside = isBeside(audioIn, reasoning) ? 0 : audioIn
  const reasoningBeside = isBeside(reasoning, audioIn) ? reasoning : 0
  return {
    ...(prompt !== undefined && { input: minus(prompt, cacheRead, cacheWrite5m, audioInside) }),
    ...(cacheRead !== undefined && { cacheRead }),
    ...(cacheWrite5m !== undefined && { cacheWrite5m }),
    ...(completion !== undefined && { output: minus(completion + (reasoningBeside ?? 0), audioOut) }),
    ...(reasoning !== undefined && { reasoning }),
    ...(audioIn !== undefined && { audioIn }),
    ...(audioOut !== undefined && { audioOut }),
  }
}

function minus(total: number, ...parts: readonly (number | undefined)[]): number {
  return parts.reduce((rest: number, part) => Math.max(0, rest - (part ?? 0)), total)
}

/** Usage as Chat Completions writes it; undefined where none is known, which is not the same as zero. */
export function encodeChatUsage(usage: UsageCounts): Record<string, unknown> | undefined {
  if (Object.keys(usage).length === 0) return undefined
  const cacheWrite = (usage.cacheWrite5m ?? 0) + (usage.cacheWrite1h ?? 0)
  const cached = usage.cacheRead ?? 0
  const prompt = (usage.input ?? 0) + cached + cacheWrite + (usage.audioIn ?? 0)
  const completion = (usage.output ?? 0) + (usage.audioOut ?? 0)
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: {
      cached_tokens: cached,
      ...(cacheWrite > 0 && { cache_write_tokens: cacheWrite }),
    },
    completion_tokens_details: { reasoning_tokens: usage.reasoning ?? 0 },
  }
}
