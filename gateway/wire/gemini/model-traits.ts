/** What Gemini models take, where they differ. Source: Google's model and thinking pages, as of November 2026. */
export interface GeminiTraits {
  /** How thinking is asked for. */
  readonly thinking: 'never' | 'budget' | 'level'
  /** Least that it can be told to think: tokens, or a level; 0 and `none` where it can be told not to. */
  readonly leastBudget: number
  readonly leastLevel: 'minimal' | 'low'
  /** Wants the signatures of calls back. */
  readonly signedCalls: boolean
  /** Takes functions and a JSON answer in the same request. */
  readonly toolsWithJson: boolean
  /** Takes images in the result of a function. */
  readonly mediaInResults: boolean
}

/** `gemini-2.5-flash-lite`, `gemini-3-pro-preview`; a name that says nothing is taken for a newest model. */
export function geminiTraits(model: string): GeminiTraits {
  const found = /gemini-(\d+)(?:[.-](\d)(?!\d))?/.exec(model)
  const version = found === null ? 300 : Number(found[1]) * 100 + Number(found[2] ?? 0) * 10
  const isOther = found === null && /gemma|learnlm|embedding/.test(model)
  const isNew = version >= 300 && !isOther
  const isPro = model.includes('pro')
  return {
    thinking: isNew ? 'level' : version >= 250 && !isOther ? 'budget' : 'never',
    leastBudget: isPro ? 128 : 0,
    leastLevel: isPro ? 'low' : 'minimal',
    signedCalls: isNew,
    toolsWithJson: isNew,
    mediaInResults: isNew,
  }
}
