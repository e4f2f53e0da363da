import type { ChatPayload } from '../call.ts'
import type { Losses } from './losses.ts'

/** Smallest budget that a thinking model takes. */
export const thinkingTokensMin = 1024
const thinkingTokensMax = 128_000

/** Share of the answer's tokens that a level may think with, as OpenRouter counts it. */
const budgetShare: Readonly<Record<string, number>> = {
  max: 0.95,
  xhigh: 0.95,
  high: 0.8,
  medium: 0.5,
  low: 0.2,
  minimal: 0.1,
}

/**
 * Level → tokens to think with, for models that take only a budget. Undefined where the answer is too short
 * for one.
 */
export function budgetOfLevel(level: string, outputTokens: number): number | undefined {
  if (outputTokens <= thinkingTokensMin) return undefined
  const share = budgetShare[level] ?? budgetShare.medium ?? 0.5
  const wanted = Math.min(Math.floor(outputTokens * share), thinkingTokensMax)
  return Math.min(Math.max(wanted, thinkingTokensMin), outputTokens - 1)
}

/** Tokens to think with → level, for models that take only a level. */
export function levelOfBudget(budgetTokens: number): string {
  if (budgetTokens < 4096) return 'low'
  return budgetTokens < 16_384 ? 'medium' : 'high'
}

/** Names the wish to think, in each place where the caller's format says a part of it. */
export function loseReasoning({ paths }: Pick<ChatPayload, 'paths'>, losses: Losses): void {
  losses.drop(paths.reasoning ?? 'reasoning_effort')
  if (paths.reasoningLevel !== undefined) losses.drop(paths.reasoningLevel)
}
