import { Choice, type ChoiceData } from './choice.ts'
import {
  nodeOf,
  type PipelineStep,
  type PlanNode,
  type PlanPart,
  type StrategyNode,
  type TargetNode,
} from './plan-node.ts'
import type { ModelName } from './workspace.ts'

/** What `with` of every strategy can say. */
interface QuotaOption {
  /**
   * Parts with less than this share left of their provider's rate limits, in parts per million, come last; where the
   * provider does not tell, enough is left.
   */
  readonly minRemainingPpm?: number
}

/** What `with` of each strategy can say. */
export interface StrategyOptions {
  ordered: QuotaOption
  leastBusy: QuotaOption
  /** `call` draws anew for each call, `stickyKey` once for a caller. */
  weighted: { readonly weights?: readonly number[]; readonly by?: 'call' | 'stickyKey' } & QuotaOption
  /** Parts that are dearer by at most this share, in parts per million, count as equally good. */
  lowestCost: { readonly tolerancePpm?: number } & QuotaOption
  /** Parts that are slower by at most this share, in parts per million, count as equally good. */
  lowestLatency: { readonly tolerancePpm?: number } & QuotaOption
  /** What stays with one part; `prompt`: calls that begin with the same prompt, for the provider's cache. */
  sticky: { readonly by?: 'stickyKey' | 'session' | 'user' | 'prompt' } & QuotaOption
  /** When the next part is started too, and what that may cost in nano-dollars (1e-9 USD). */
  hedged: { readonly afterMs?: number; readonly extraCostNanoUsd?: number }
}

/** A plan under construction. Each method gives a new one. */
export class PlanEffect extends Choice<PlanEffect> {
  readonly plan: PlanNode
  readonly #said: ChoiceData
  constructor(plan: PlanNode, said: ChoiceData = {}) {
    super()
    this.plan = plan
    this.#said = said
  }

  protected get said(): ChoiceData {
    return this.#said
  }

  protected saying(change: ChoiceData): PlanEffect {
    return new PlanEffect(this.plan, { ...this.#said, ...change })
  }

  /** The effect as data. */
  toJSON(): { readonly plan: PlanNode } & ChoiceData {
    return { plan: this.plan, ...this.#said }
  }
}

/** A plan of one strategy, whose options can be set. */
export class StrategyEffect<Name extends keyof StrategyOptions> extends PlanEffect {
  readonly #node: StrategyNode
  constructor(node: StrategyNode) {
    super(node)
    this.#node = node
  }

  /** Options of the strategy. */
  with(options: StrategyOptions[Name]): PlanEffect {
    return new PlanEffect({ ...this.#node, with: { ...this.#node.with, ...options } })
  }
}

function strategyOf<Name extends keyof StrategyOptions>(
  strategy: Name,
  parts: readonly PlanPart[],
): StrategyEffect<Name> {
  return new StrategyEffect({ strategy, of: parts.map(nodeOf) })
}

/** A target with its own changes, prompt and time limits, for use inside a plan. */
export function target(name: ModelName, options: Omit<TargetNode, 'target'> = {}): TargetNode {
  return { target: name, ...options }
}

/** Tries the parts in order until one answers. */
export function ordered(...parts: readonly PlanPart[]): StrategyEffect<'ordered'> {
  return strategyOf('ordered', parts)
}

/** Splits calls by weight. */
export function weighted(
  ...parts: readonly { readonly weight: number; readonly part: PlanPart }[]
): StrategyEffect<'weighted'> {
  const of = parts.map(({ part }) => nodeOf(part))
  return new StrategyEffect({
    strategy: 'weighted',
    of,
    with: { weights: parts.map(({ weight }) => weight) },
  })
}

/** Prefers the part whose first target is cheapest for this call. */
export function lowestCost(...parts: readonly PlanPart[]): StrategyEffect<'lowestCost'> {
  return strategyOf('lowestCost', parts)
}

/** Prefers the part that has answered fastest of late. */
export function lowestLatency(...parts: readonly PlanPart[]): StrategyEffect<'lowestLatency'> {
  return strategyOf('lowestLatency', parts)
}

/** Prefers the part with the fewest running calls. */
export function leastBusy(...parts: readonly PlanPart[]): StrategyEffect<'leastBusy'> {
  return strategyOf('leastBusy', parts)
}

/** Keeps a caller at one part. */
export function sticky(...parts: readonly PlanPart[]): StrategyEffect<'sticky'> {
  return strategyOf('sticky', parts)
}

/** Starts the next part too where the one before is slow; the first answer counts. */
export function hedged(...parts: readonly PlanPart[]): StrategyEffect<'hedged'> {
  return strategyOf('hedged', parts)
}

/** One step of a pipeline. Without `onFailure` a failing step fails the call. */
export function step(
  id: string,
  part: PlanPart,
  options: Partial<Pick<PipelineStep, 'onlyIf' | 'onFailure'>> = {},
): PipelineStep {
  const { onlyIf, onFailure = 'fail' } = options
  return { id, node: nodeOf(part), onFailure, ...(onlyIf !== undefined && { onlyIf }) }
}

/** Steps one after the other; the answer of the last one is the answer of the call. */
export function pipeline(...steps: readonly PipelineStep[]): PlanEffect {
  return new PlanEffect({ pipeline: steps })
}
