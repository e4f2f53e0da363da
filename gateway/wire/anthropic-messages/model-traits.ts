/**
 * What Claude models take, where they differ. Source: Anthropic's model pages and errors, as of November
 * 2026.
 */
export interface ClaudeTraits {
  /** How thinking is asked for. */
  readonly thinking: 'never' | 'budget' | 'adaptive'
  /** Cannot be told not to think. */
  readonly alwaysThinks: boolean
  /** Takes `temperature`, `top_p`, `top_k`. */
  readonly sampling: boolean
  /** Takes `tool_choice` `any` and `tool`. */
  readonly forcedTools: boolean
  /** Takes `output_config.format` and `strict` tools. */
  readonly structuredOutput: boolean
  /** Takes messages of role `system` between the others. */
  readonly systemMessages: boolean
}

interface ClaudeName {
  readonly family: string
  /** 4.5 → 405: comparable. */
  readonly version: number
}

const newest: ClaudeTraits = {
  thinking: 'adaptive',
  alwaysThinks: true,
  sampling: false,
  forcedTools: true,
  structuredOutput: true,
  systemMessages: true,
}

/**
 * `claude-sonnet-4-5-20250929`, `claude-opus-4.8`; before version 4 the number came first:
 * `claude-3-7-sonnet`.
 */
function readName(model: string): ClaudeName | undefined {
  const now = /(opus|sonnet|haiku|fable|mythos)-(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)/.exec(model)
  const before = /claude-(\d)(?:[-.](\d))?-(opus|sonnet|haiku)/.exec(model)
  if (now) return { family: now[1] ?? '', version: Number(now[2]) * 100 + Number(now[3] ?? 0) }
  if (before) return { family: before[3] ?? '', version: Number(before[1]) * 100 + Number(before[2] ?? 0) }
  return undefined
}

/** Traits of a model by its id. A name that says nothing is taken for a newest model, which refuses most. */
export function claudeTraits(model: string): ClaudeTraits {
  const name = readName(model)
  if (name === undefined) return newest
  const { family, version } = name
  const isNewFamily = family === 'fable' || family === 'mythos'
  const refusesForced = isNewFamily ? version >= 501 : family !== 'haiku' && version >= 505
  if (isNewFamily) return { ...newest, forcedTools: !refusesForced }
  return {
    thinking: version < 307 ? 'never' : version < 406 ? 'budget' : 'adaptive',
    alwaysThinks: version >= 500,
    sampling: version < 407,
    forcedTools: !refusesForced,
    structuredOutput: version >= 401,
    systemMessages: version >= 408,
  }
}
