import type { ChatPayload } from '../../call.ts'
import type { EncodeOptions } from '../../provider.ts'
import type { Losses } from '../losses.ts'
import { patchedTemperature } from '../output-limit.ts'
import { levelOfBudget, loseReasoning } from '../reasoning-level.ts'
import type { ChatQuirks } from './quirks.ts'

/** OpenAI takes at most this many stop sequences. */
const stopsMax = 4

export interface RequestContext {
  readonly payload: ChatPayload
  readonly body: Record<string, unknown>
  readonly options: EncodeOptions
  readonly quirks: ChatQuirks
  readonly losses: Losses
  /** The request came in this format, so all of it has a place. */
  readonly same: boolean
}

/**
 * Sampling and reasoning, as far as the model takes them: models that reason refuse to be sampled otherwise.
 */
export function addSampling(context: RequestContext): void {
  const { payload, body, options, quirks, losses, same } = context
  const { paths } = payload
  const level = addReasoning(context)
  const isRefused = refusesSampling(options.model, level, quirks)
  const set = (member: string, value: unknown, path: string): void => {
    if (value === undefined) return
    if (isRefused && !same) losses.drop(path)
    else body[member] = value
  }
  set('temperature', patchedTemperature(options) ?? payload.temperature, paths.temperature ?? 'temperature')
  set('top_p', payload.topP, paths.topP ?? 'top_p')
  set('frequency_penalty', payload.frequencyPenalty, paths.frequencyPenalty ?? 'frequency_penalty')
  set('presence_penalty', payload.presencePenalty, paths.presencePenalty ?? 'presence_penalty')
  const stopPath = paths.stop ?? 'stop'
  const stop = payload.stop?.slice(0, stopsMax)
  if (stop !== undefined && stop.length > 0) set('stop', stop, stopPath)
  if ((payload.stop?.length ?? 0) > stopsMax) losses.drop(stopPath)
  if (payload.seed !== undefined) body.seed = payload.seed
  addChoices(context)
  if (payload.topK === undefined) return
  if (quirks.takesTopK || same) body.top_k = payload.topK
  else losses.drop(paths.topK ?? 'top_k')
}

/** Other formats' answers are told here as one. */
function addChoices({ payload, body, losses, same }: RequestContext): void {
  const { choices } = payload
  if (choices === undefined) return
  if (same) body.n = choices
  else if (choices > 1) {
    losses.dropMeaning(payload.paths.choices ?? 'n', 'An answer of the chosen model is told as one.')
    losses.dropAnswer('candidates[]')
  }
}

/** Whether a model at a level of reasoning refuses a temperature and its like. */
export function refusesSampling(model: string, level: string | undefined, quirks: ChatQuirks): boolean {
  const lowest = quirks.models.find(({ pattern }) => pattern.test(model))?.lowestLevel
  return lowest !== undefined && (lowest !== 'none' || (level !== undefined && level !== 'none'))
}

/** Returns the level that the model is asked for. */
function addReasoning({ payload, body, options, quirks, losses, same }: RequestContext): string | undefined {
  const asked = payload.reasoning
  const budget = asked?.budgetTokens
  const wanted = options.patch?.reasoningLevel ?? asked?.level
  if (same && wanted === undefined && budget !== undefined) body.reasoning = { max_tokens: budget }
  const level = wanted ?? (budget === undefined || same ? undefined : levelOfBudget(budget))
  if (level === undefined) return undefined
  const model = quirks.models.find(({ pattern }) => pattern.test(options.model))
  if (same || (level !== 'none' && (model === undefined || model.lowestLevel !== undefined))) {
    body.reasoning_effort = level
    return level
  }
  // Not to reason is what a model does that cannot; of one that is not known, nobody knows how to say it.
  if (level !== 'none' || model === undefined) loseReasoning(payload, losses)
  else if (model.lowestLevel !== undefined) body.reasoning_effort = model.lowestLevel
  return model?.lowestLevel
}
