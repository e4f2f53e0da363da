import { Choice, type ChoiceData } from './choice.ts'
import type { ModelName, PromptName } from './workspace.ts'

export type ReasoningLevel = 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'max'
/** Changes to the parameters of the request. */
export interface Patch {
  readonly maxOutputTokens?: number
  readonly temperaturePpm?: number
  readonly reasoningLevel?: ReasoningLevel
  readonly promptCache?: '5m' | '1h'
}
/** Values for the variables of a prompt, by name; one that is undefined is left out. */
export interface PromptValues {
  readonly [variable: string]: string | number | boolean | readonly (string | number | boolean)[] | undefined
}
/** Time limits, in milliseconds; and the least speed of a stream's beginning, in bytes per second. */
export interface Timeouts {
  readonly connectMs?: number
  readonly firstTokenMs?: number
  readonly idleMs?: number
  readonly totalMs?: number
  readonly minBytesPerS?: number
  readonly speedWindowMs?: number
}
export interface UseData extends ChoiceData {
  readonly model: string
  readonly fallback?: readonly string[]
  readonly patch?: Patch
  readonly prompt?: PromptName | { readonly name: PromptName; readonly variables: PromptValues }
  readonly timeouts?: Timeouts
  readonly retries?: number
}

/** A choice of model under construction. Each method gives a new one. */
export class UseEffect extends Choice<UseEffect> {
  readonly use: UseData
  constructor(use: UseData) {
    super()
    this.use = use
  }

  protected get said(): ChoiceData {
    return this.use
  }

  protected saying(change: Partial<UseData>): UseEffect {
    return new UseEffect({ ...this.use, ...change })
  }

  #patch(change: Patch): UseEffect {
    return this.saying({ patch: { ...this.use.patch, ...change } })
  }

  /** Aliases or targets to try after the first, in order. */
  fallback(...models: readonly ModelName[]): UseEffect {
    return this.saying({ fallback: [...(this.use.fallback ?? []), ...models] })
  }

  /** Upper limit of the answer's tokens. */
  maxOutputTokens(tokens: number): UseEffect {
    return this.#patch({ maxOutputTokens: tokens })
  }

  /** Temperature in parts per million: 700_000 is 0.7. */
  temperaturePpm(ppm: number): UseEffect {
    return this.#patch({ temperaturePpm: ppm })
  }

  reasoningLevel(level: ReasoningLevel): UseEffect {
    return this.#patch({ reasoningLevel: level })
  }

  /** Marks the prompt for the provider's own cache, for so long; where it needs marks (Anthropic). */
  promptCache(ttl: '5m' | '1h'): UseEffect {
    return this.#patch({ promptCache: ttl })
  }

  /** Time limits of each target. */
  timeouts(limits: Timeouts): UseEffect {
    return this.saying({ timeouts: { ...this.use.timeouts, ...limits } })
  }

  /** How often each target is tried again before the next one is, up to 5. */
  retries(count: number): UseEffect {
    return this.saying({ retries: count })
  }

  /** Puts a prompt of the workspace before the conversation, with these values for its variables. */
  prompt(name: PromptName, variables?: PromptValues): UseEffect {
    return this.saying({ prompt: variables === undefined ? name : { name, variables } })
  }
}

/** Sends the call to an alias or a target (`connection/model`); of a list the first, the others as fallback. */
export function use(model: ModelName | readonly [ModelName, ...ModelName[]]): UseEffect
/** A name that is read from the facts; one that means nothing breaks the rule when it is said. */
export function use<Name extends string>(model: string extends Name ? Name : ModelName): UseEffect
export function use(model: string | readonly [string, ...string[]]): UseEffect {
  if (typeof model === 'string') return new UseEffect({ model })
  const [first, ...others] = model
  return new UseEffect(others.length === 0 ? { model: first } : { model: first, fallback: others })
}
