import type { Facts as FactsDocument } from './facts.generated.ts'
import type { ConnectionName, Metadata, TargetName } from './workspace.ts'

/** Columns of a candidate model; all given ones must match. */
export interface ModelFilter {
  readonly locality?: 'cloud' | 'on-prem'
  readonly connection?: ConnectionName | readonly ConnectionName[]
  readonly provider?: string | readonly string[]
  readonly target?: TargetName | readonly TargetName[]
  readonly region?: string | readonly string[]
  /** Share of the provider's rate limits that is left, in parts per million; one that does not tell is kept. */
  readonly minRemainingPpm?: number
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
  readonly target: TargetName
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
    /** Share that is left of the provider's tightest rate limit, where it tells. */
    readonly remainingPpm?: number
    readonly remainingRequests?: number
    readonly remainingTokens?: number
  }
  /** The target can carry everything this call asks for. */
  readonly lossless: boolean
}
export interface Models extends ReadonlyArray<Model> {
  /** The candidates whose columns match. Cheaper than `filter`: the rows need not be handed to the policy. */
  where(filter: ModelFilter): ModelSelection
}

/** What a policy may know of a call (`facts/1`). Read it by plain member access: only what is read is handed over. */
export interface Facts extends Omit<FactsDocument, 'phase' | 'request' | 'models'> {
  /** Policies decide before the call; there is no answer yet. */
  readonly phase: 'route'
  readonly request: Omit<FactsDocument['request'], 'metadata'> & {
    /** Declared metadata as the caller sent it: claims, not truths. */
    readonly metadata: Metadata
  }
  readonly models: Models
}

/** One thing that a detector found. Offsets count UTF-16 units from the start of the text. */
export interface FindingSpan {
  readonly kind: string
  readonly start: number
  readonly end: number
  readonly scorePpm?: number
}
/** What one detector found in a text. */
export interface DetectorFindings {
  readonly hits: number
  readonly kinds: readonly string[]
  /** Hits by kind. */
  readonly byKind: { readonly [kind: string]: number | undefined }
  /** The first of them; `hits` counts all. */
  readonly spans: readonly FindingSpan[]
  readonly scorePpm?: number
}

/** What a guardrail may know: findings of the detectors over a text, and of the text what its window declares. */
export interface GuardrailFacts {
  readonly schema: 'guardrail-facts/1'
  readonly direction: 'input' | 'output'
  readonly text: {
    /** Length of the text, and how much of it the detectors have looked at. */
    readonly chars: number
    readonly scannedChars: number
    /** Its beginning and its end, where the guardrail's `window` declares them. */
    readonly first?: string
    readonly last?: string
    /** Offset at which `last` begins. */
    readonly lastStart?: number
  }
  readonly findings: { readonly [detector: string]: DetectorFindings | undefined }
  /**
   * Detectors that failed; their findings are missing, not empty. A guardrail that does not look here cannot pass a
   * text that such a detector was to look at: its verdict is an error.
   */
  readonly detectorErrors: readonly string[]
  readonly metadata: Metadata
  /** The text comes in pieces; this is what is there so far. */
  readonly stream: boolean
  /** Paths that were cut to their maximum. */
  readonly truncated: readonly string[]
}
export interface InputFacts extends GuardrailFacts {
  readonly direction: 'input'
}
export interface OutputFacts extends GuardrailFacts {
  readonly direction: 'output'
  /** The target that answers. */
  readonly target: string
}
