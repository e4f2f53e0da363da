import type { ChatPayload } from '../../call.ts'
import type { EncodeOptions } from '../../provider.ts'
import type { Losses } from '../losses.ts'
import { levelOfBudget, loseReasoning } from '../reasoning-level.ts'
import { type GeminiTraits, geminiTraits } from './model-traits.ts'

/** Levels as Google names them, for models that take one. */
const levels: Readonly<Record<string, string>> = {
  minimal: 'minimal',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'high',
  max: 'high',
}
/** Tokens to think with, for models that take only those. Source: Google's OpenAI compatibility page. */
const budgets: Readonly<Record<string, number>> = {
  minimal: 1024,
  low: 1024,
  medium: 8192,
  high: 24_576,
  xhigh: 24_576,
  max: 24_576,
}

/** The `thinkingConfig` for what is asked, or undefined where nothing is; `lost` where the model cannot be told so. */
export function encodeThinking(
  payload: ChatPayload,
  options: EncodeOptions,
  losses: Losses,
): Record<string, unknown> | undefined {
  const asked = payload.reasoning
  const patched = options.patch?.reasoningLevel
  const level = patched ?? asked?.level
  const budget = patched === undefined ? asked?.budgetTokens : undefined
  const traits = geminiTraits(options.model)
  if (level === undefined && budget === undefined && asked?.visible !== true) return undefined
  if (traits.thinking === 'never') {
    if (level !== 'none') loseReasoning(payload, losses)
    return undefined
  }
  const { config, lost } = thinkingConfig(level, budget, traits)
  if (lost) loseReasoning(payload, losses)
  const shows = asked?.visible === true && level !== 'none'
  return { ...config, ...(shows && { includeThoughts: true }) }
}

/** What a level or a budget is for a model that thinks. */
export function thinkingConfig(
  level: string | undefined,
  budget: number | undefined,
  traits: GeminiTraits,
): { config: Record<string, unknown>; lost: boolean } {
  if (traits.thinking === 'budget') {
    if (level === 'none') {
      return { config: { thinkingBudget: traits.leastBudget }, lost: traits.leastBudget > 0 }
    }
    const tokens = budget ?? budgets[level ?? '']
    if (tokens === undefined) return { config: {}, lost: level !== undefined }
    return { config: { thinkingBudget: Math.max(tokens, traits.leastBudget) }, lost: false }
  }
  if (level === 'none') return { config: { thinkingLevel: traits.leastLevel }, lost: true }
  const wanted = level ?? (budget === undefined ? undefined : levelOfBudget(budget))
  const named = wanted === undefined ? undefined : levels[wanted]
  const isLifted = named === 'minimal' && traits.leastLevel === 'low'
  const config = named === undefined ? {} : { thinkingLevel: isLifted ? 'low' : named }
  return { config, lost: (wanted !== undefined && named === undefined) || isLifted }
}
