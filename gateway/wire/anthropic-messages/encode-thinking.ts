import type { ChatPayload } from '../../call.ts'
import type { EncodeOptions } from '../../provider.ts'
import { isObject } from '../json-value.ts'
import type { Losses } from '../losses.ts'
import { patchedTemperature } from '../output-limit.ts'
import { budgetOfLevel, levelOfBudget, loseReasoning, thinkingTokensMin } from '../reasoning-level.ts'
import type { Turn } from './encode-message.ts'
import type { ClaudeTraits } from './model-traits.ts'

export interface ThinkingContext {
  readonly payload: ChatPayload
  readonly body: Record<string, unknown>
  readonly traits: ClaudeTraits
  readonly options: EncodeOptions
  readonly losses: Losses
}

/** Levels by Anthropic's names. */
const efforts: Readonly<Record<string, string>> = {
  minimal: 'low',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'xhigh',
  max: 'max',
}

/** Asks for thinking the way the model takes it. Returns whether it will think. */
export function addThinking(context: ThinkingContext & { readonly turns: readonly Turn[] }): boolean {
  const { payload, body, traits, options, turns, losses } = context
  const asked = payload.reasoning
  const level = options.patch?.reasoningLevel ?? asked?.level
  const budget = options.patch?.reasoningLevel === undefined ? asked?.budgetTokens : undefined
  if (asked === undefined && level === undefined) return false
  if (level === 'none') {
    if (!traits.alwaysThinks) return false
    loseReasoning(payload, losses)
    body.output_config = { effort: 'low' }
    return true
  }
  if (traits.thinking === 'adaptive') {
    const wanted = level ?? (budget === undefined ? undefined : levelOfBudget(budget))
    const effort = wanted === undefined ? undefined : efforts[wanted]
    if (wanted !== undefined && effort === undefined) loseReasoning(payload, losses)
    if (effort !== undefined) body.output_config = { effort }
    body.thinking = asked?.visible ? { type: 'adaptive', display: 'summarized' } : { type: 'adaptive' }
    return true
  }
  const tokens = thinkingTokens(level, budget, Number(body.max_tokens))
  if (traits.thinking === 'never' || tokens === undefined || continuesWithoutThinking(turns)) {
    loseReasoning(payload, losses)
    return false
  }
  body.thinking = { type: 'enabled', budget_tokens: tokens }
  return true
}

/**
 * What `enabled` thinking may use: at least the minimum, less than the whole answer; undefined where that
 * cannot be.
 */
export function thinkingTokens(
  level: string | undefined,
  budget: number | undefined,
  maxTokens: number,
): number | undefined {
  if (budget === undefined) return budgetOfLevel(level ?? 'medium', maxTokens)
  const tokens = Math.min(Math.max(budget, thinkingTokensMin), maxTokens - 1)
  return tokens < thinkingTokensMin ? undefined : tokens
}

/**
 * In the middle of a tool loop, models with a budget insist that the assistant's turn begins with its signed
 * thinking; a caller who did not send it back gets his answer without thinking.
 */
function continuesWithoutThinking(turns: readonly Turn[]): boolean {
  const [assistant, user] = turns.slice(-2)
  const isLoop = user?.role === 'user' && user.content.some(({ type }) => type === 'tool_result')
  if (!isLoop || assistant?.role !== 'assistant') return false
  const first = assistant.content[0]?.type
  return first !== 'thinking' && first !== 'redacted_thinking'
}

/**
 * Sampling as far as the model takes it: none for new models and none while thinking; temperature up to 1,
 * and not together with `top_p`.
 */
export function addSampling(context: ThinkingContext & { readonly thinks: boolean }): void {
  const { payload, body, traits, options, thinks, losses } = context
  const same = payload.origin === 'anthropic-messages'
  const patched = patchedTemperature(options)
  const isTaken = same || (traits.sampling && !thinks)
  const temperature = patched ?? payload.temperature
  if (temperature !== undefined && isTaken) {
    body.temperature = Math.min(temperature, 1)
    if (patched === undefined && temperature > 1) losses.drop(payload.paths.temperature ?? 'temperature')
  } else if (payload.temperature !== undefined && !(thinks && payload.temperature === 1))
    losses.drop(payload.paths.temperature ?? 'temperature')
  if (payload.topP !== undefined) {
    if (isTaken && (same || temperature === undefined)) body.top_p = payload.topP
    else losses.drop(payload.paths.topP ?? 'top_p')
  }
  if (payload.topK === undefined) return
  if (isTaken) body.top_k = payload.topK
  else losses.drop(payload.paths.topK ?? 'top_k')
}

/** What a decision's level means for a body that passes as it is: members to set, as JSON values. */
export function patchThinking(
  level: string,
  traits: ClaudeTraits,
  maxTokens: number | undefined,
): { thinking?: unknown; effort?: string } {
  if (level === 'none') return traits.alwaysThinks ? { effort: 'low' } : { thinking: { type: 'disabled' } }
  if (traits.thinking === 'never') return {}
  const effort = efforts[level]
  if (traits.thinking === 'adaptive')
    return { thinking: { type: 'adaptive' }, ...(effort !== undefined && { effort }) }
  const tokens = maxTokens === undefined ? undefined : budgetOfLevel(level, maxTokens)
  return tokens === undefined ? {} : { thinking: { type: 'enabled', budget_tokens: tokens } }
}

/** A `thinking` member that still fits under a smaller `max_tokens`: undefined where it does as it is. */
export function fitThinking(thinking: unknown, maxTokens: number): unknown {
  if (!isObject(thinking) || thinking.type !== 'enabled' || typeof thinking.budget_tokens !== 'number')
    return undefined
  if (thinking.budget_tokens < maxTokens) return undefined
  const tokens = maxTokens - 1
  return tokens < thinkingTokensMin ? { type: 'disabled' } : { ...thinking, budget_tokens: tokens }
}
