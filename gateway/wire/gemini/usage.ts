import type { UsageCounts } from '../../call.ts'
import { asCount, asObject, asString } from '../json-value.ts'
import { countGeminiSearches } from './grounding.ts'
import { asList, readFields } from './read-fields.ts'

/**
 * The `usageMetadata` of an answer or an event; undefined where there is none. The prompt's count includes what was
 * cached, which is a unit of its own here; thoughts are beside the candidates' count there and part of the output
 * here.
 */
export function readGeminiUsage(json: unknown): UsageCounts | undefined {
  const answer = readFields(json)
  // To count tokens costs nothing.
  if (asCount(answer?.totalTokens) !== undefined) return { input: 0, output: 0 }
  const usage = readFields(answer?.usageMetadata)
  if (usage === undefined) return undefined
  const searches = countGeminiSearches(answer ?? {})
  const prompt = asCount(usage.promptTokenCount)
  const tools = asCount(usage.toolUsePromptTokenCount) ?? 0
  const candidates = asCount(usage.candidatesTokenCount)
  const thoughts = asCount(usage.thoughtsTokenCount)
  const cacheRead = asCount(usage.cachedContentTokenCount)
  const audioCached = audioOf(usage.cacheTokensDetails) ?? 0
  const audioAsked = audioOf(usage.promptTokensDetails)
  const audioIn = audioAsked === undefined ? undefined : Math.max(0, audioAsked - audioCached)
  const audioOut = audioOf(usage.candidatesTokensDetails)
  const fresh = (prompt ?? 0) + tools - (cacheRead ?? 0) - (audioIn ?? 0)
  const isOver = candidates !== undefined || thoughts !== undefined
  return {
    ...(prompt !== undefined && { input: Math.max(0, fresh) }),
    ...(cacheRead !== undefined && { cacheRead }),
    ...(audioIn !== undefined && { audioIn }),
    ...(isOver && { output: Math.max(0, (candidates ?? 0) + (thoughts ?? 0) - (audioOut ?? 0)) }),
    ...(thoughts !== undefined && { reasoning: thoughts }),
    ...(audioOut !== undefined && { audioOut }),
    ...(searches > 0 && { searches }),
  }
}

function audioOf(details: unknown): number | undefined {
  const found = asList(details)
    .map(readFields)
    .find((each) => asString(each?.modality) === 'AUDIO')
  return asCount(asObject(found)?.tokenCount)
}

/** Usage as Gemini writes it; undefined where none is known, which is not the same as zero. */
export function encodeGeminiUsage(usage: UsageCounts): Record<string, unknown> | undefined {
  if (Object.keys(usage).length === 0) return undefined
  const { cacheRead = 0, reasoning = 0, audioIn, audioOut } = usage
  const written = (usage.cacheWrite5m ?? 0) + (usage.cacheWrite1h ?? 0)
  const prompt = (usage.input ?? 0) + cacheRead + written + (audioIn ?? 0)
  const output = (usage.output ?? 0) + (audioOut ?? 0)
  const audio = (tokenCount: number): unknown => [{ modality: 'AUDIO', tokenCount }]
  return {
    promptTokenCount: prompt,
    ...(cacheRead > 0 && { cachedContentTokenCount: cacheRead }),
    ...(audioIn !== undefined && { promptTokensDetails: audio(audioIn) }),
    ...(usage.output !== undefined && { candidatesTokenCount: Math.max(0, output - reasoning) }),
    ...(audioOut !== undefined && { candidatesTokensDetails: audio(audioOut) }),
    ...(reasoning > 0 && { thoughtsTokenCount: reasoning }),
    totalTokenCount: prompt + output,
  }
}
