export type ReasoningLevel = 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'max'
/** Changes to the parameters of the request. */
export interface Patch {
  readonly maxOutputTokens?: number
  readonly temperaturePpm?: number
  readonly reasoningLevel?: ReasoningLevel
}
export interface UseData {
  readonly model: string
  readonly fallback?: readonly string[]
  readonly patch?: Patch
  readonly prompt?: string
  /** The rollout is the policy's id where it is left out. */
  readonly variant?: { readonly rollout?: string; readonly name: string }
  readonly annotate?: { readonly [key: string]: string }
}

/** A choice of model under construction. Each method gives a new one. */
export class UseEffect {
  readonly use: UseData
  constructor(use: UseData) {
    this.use = use
  }

  #with(change: Partial<UseData>): UseEffect {
    return new UseEffect({ ...this.use, ...change })
  }

  #patch(change: Patch): UseEffect {
    return this.#with({ patch: { ...this.use.patch, ...change } })
  }

  /** Aliases or targets to try after the first, in order. */
  fallback(...models: readonly string[]): UseEffect {
    return this.#with({ fallback: [...(this.use.fallback ?? []), ...models] })
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

  /** Sends the call through a prompt of the workspace. */
  prompt(name: string): UseEffect {
    return this.#with({ prompt: name })
  }

  /** Notes the arm of a rollout: `variant('canary')` or `variant('summary-2026-09', 'canary')`. */
  variant(name: string): UseEffect
  variant(rollout: string, name: string): UseEffect
  variant(first: string, second?: string): UseEffect {
    return this.#with({ variant: second === undefined ? { name: first } : { rollout: first, name: second } })
  }

  /** Adds a note to the decision; it is recorded, not sent. */
  annotate(key: string, value: string): UseEffect {
    return this.#with({ annotate: { ...this.use.annotate, [key]: value } })
  }
}

/** Sends the call to an alias or a target (`connection/model`); of a list the first, the others as fallback. */
export function use(model: string | readonly [string, ...string[]]): UseEffect {
  if (typeof model === 'string') return new UseEffect({ model })
  const [first, ...others] = model
  return new UseEffect(others.length === 0 ? { model: first } : { model: first, fallback: others })
}
