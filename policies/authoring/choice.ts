import { nodeOf, type PlanNode, type PlanPart } from './plan-node.ts'
import type { ModelName } from './workspace.ts'

/** Kinds of errors that can lead to a plan of their own. */
export type ErrorClass =
  | 'rateLimit'
  | 'overload'
  | 'contextWindow'
  | 'contentPolicy'
  | 'guardrailVerdict'
  | 'invalidOutput'
  | 'timeout'
  | 'unavailable'
export type ObligationType = 'logLevel' | 'header' | 'notify' | 'tag'
/** The rollout is the policy's id where it is left out. */
export interface Variant {
  readonly rollout?: string
  readonly name: string
  /** Share of the callers who get this arm, in parts per million. */
  readonly propensityPpm?: number
}
/** How answers are found to questions that mean the same. */
export interface SemanticCache {
  /** Alias or target that embeds questions. */
  readonly model: ModelName
  /** Cosine from which on two questions mean the same, in parts per million: 500,000 to 1,000,000. */
  readonly thresholdPpm: number
}
/** What a choice says beside its plan. */
export interface ChoiceData {
  readonly variant?: Variant
  readonly annotate?: { readonly [key: string]: string }
  readonly caps?: { readonly maxOutputTokens?: number; readonly costNanoUsd?: number }
  readonly cache?: 'off' | 'read' | 'readWrite'
  readonly semanticCache?: SemanticCache
  readonly fidelity?: 'strict' | 'warn' | 'lossy'
  readonly mirror?: string
  readonly onErrorClass?: { readonly [name in ErrorClass]?: PlanNode }
  readonly obligations?: readonly {
    readonly type: ObligationType
    readonly args: { readonly [name: string]: string }
  }[]
}

/** What `use(…)` and plans have in common. Each method gives a new choice. */
export abstract class Choice<Self> {
  protected abstract get said(): ChoiceData
  protected abstract saying(change: ChoiceData): Self

  /** Notes the arm of a rollout: `variant('canary')` or `variant('summary-2026-09', 'canary')`. */
  variant(name: string): Self
  variant(rollout: string, name: string, options?: { readonly propensityPpm?: number }): Self
  variant(first: string, second?: string, options: { readonly propensityPpm?: number } = {}): Self {
    const variant = second === undefined ? { name: first } : { rollout: first, name: second }
    return this.saying({ variant: { ...variant, ...options } })
  }

  /** Adds a note to the decision; it is recorded, not sent. */
  annotate(key: string, value: string): Self {
    return this.saying({ annotate: { ...this.said.annotate, [key]: value } })
  }

  /** Upper limit of what the whole call may cost, in nano-dollars (1e-9 USD). */
  costCap(costNanoUsd: number): Self {
    return this.saying({ caps: { ...this.said.caps, costNanoUsd } })
  }

  /**
   * Whether an answer may come from the cache, and go into it. With `semantic`, an answer to another question that
   * means the same may come too: only the last text of the caller may differ.
   */
  cache(mode: 'off' | 'read' | 'readWrite', options: { readonly semantic?: SemanticCache } = {}): Self {
    const { semantic } = options
    return this.saying({ cache: mode, ...(semantic !== undefined && { semanticCache: semantic }) })
  }

  /** What becomes of a part of the call that a target cannot carry: `strict` refuses. */
  fidelity(mode: 'strict' | 'warn' | 'lossy'): Self {
    return this.saying({ fidelity: mode })
  }

  /** Sends a copy of the call to an alias or target; its answer is recorded, never given to the caller. */
  mirror(model: ModelName): Self {
    return this.saying({ mirror: model })
  }

  /** Plans for kinds of errors: `{ contextWindow: use('long') }`. */
  onErrorClass(classes: { readonly [name in ErrorClass]?: PlanPart }): Self {
    const nodes: { [name in ErrorClass]?: PlanNode } = { ...this.said.onErrorClass }
    for (const [name, part] of Object.entries(classes)) nodes[name as ErrorClass] = nodeOf(part)
    return this.saying({ onErrorClass: nodes })
  }

  /** Something the gateway has to do beside the call. */
  obligation(type: ObligationType, args: { readonly [name: string]: string }): Self {
    return this.saying({ obligations: [...(this.said.obligations ?? []), { type, args }] })
  }
}
