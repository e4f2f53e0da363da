import type { Facts as FactsDocument } from './facts.generated.ts'

/** Columns of a candidate model; all given ones must match. */
export interface ModelFilter {
  readonly locality?: 'cloud' | 'on-prem'
  readonly connection?: string | readonly string[]
  readonly provider?: string | readonly string[]
  readonly target?: string | readonly string[]
  readonly region?: string | readonly string[]
}

/** The candidates that a filter keeps; what `f.models.where(…)` gives. */
export class ModelSelection {
  readonly filter: ModelFilter
  constructor(filter: ModelFilter) {
    this.filter = filter
  }
}

/** One candidate model. Prices are pico-dollars (1e-12 USD) per token. */
export interface Model {
  /** `connection/model`. */
  readonly target: string
  readonly connection: string
  readonly provider: string
  readonly locality: 'cloud' | 'on-prem'
  readonly region?: string
  readonly tier: string
  readonly contextTokens?: number
  readonly inputPico?: number
  readonly outputPico?: number
  readonly health: {
    readonly state: 'up' | 'degraded' | 'down' | 'unavailable'
    readonly errorPpm: number
  }
  /** The target can carry everything this call asks for. */
  readonly lossless: boolean
}
export interface Models extends ReadonlyArray<Model> {
  /** The candidates whose columns match. Cheaper than `filter`: the rows need not be handed to the policy. */
  where(filter: ModelFilter): ModelSelection
}

/** What a policy may know of a call (`facts/1`). Read it by plain member access: only what is read is handed over. */
export interface Facts extends Omit<FactsDocument, 'models'> {
  readonly models: Models
}

/** What a guardrail may know: findings of the detectors over a text, never the text itself. */
export interface GuardrailFacts {
  readonly direction: 'input' | 'output'
  readonly text: { readonly chars: number }
  readonly findings: {
    readonly [detector: string]:
      | { readonly hits: number; readonly kinds: readonly string[]; readonly scorePpm?: number }
      | undefined
  }
  /** Detectors that failed; their findings are missing, not empty. */
  readonly detectorErrors: readonly string[]
  readonly metadata: { readonly [name: string]: string | number | boolean | undefined }
}
