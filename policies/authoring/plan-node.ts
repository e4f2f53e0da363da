import type { SignalCondition } from './signal.ts'
import type { Patch, PromptValues, Timeouts, UseData } from './use.ts'
import type { ModelName, PromptName } from './workspace.ts'

export type Strategy =
  | 'ordered'
  | 'weighted'
  | 'lowestCost'
  | 'lowestLatency'
  | 'leastBusy'
  | 'sticky'
  | 'hedged'
export interface TargetNode {
  /** An alias or `connection/model`. */
  readonly target: ModelName
  readonly patch?: Patch
  readonly prompt?: { readonly name: PromptName; readonly variables?: PromptValues }
  readonly timeouts?: Timeouts
  /** How often it is tried again before the next one is, up to 5. */
  readonly retries?: number
}
export interface StrategyNode {
  readonly strategy: Strategy
  readonly of: readonly PlanNode[]
  readonly with?: { readonly [option: string]: unknown }
}
export interface PipelineStep {
  readonly id: string
  readonly node: PlanNode
  readonly onlyIf?: SignalCondition
  readonly onFailure: 'nextTarget' | 'returnPrevious' | 'fail'
}
export interface PipelineNode {
  readonly pipeline: readonly PipelineStep[]
}
export type PlanNode = TargetNode | StrategyNode | PipelineNode
/** What a strategy can stand over: an alias, a target, a `use(…)` or another plan. */
export type PlanPart = ModelName | { readonly use: UseData } | { readonly plan: PlanNode } | PlanNode

/** The node that a part of a plan stands for. */
export function nodeOf(part: PlanPart): PlanNode {
  if (typeof part === 'string') return { target: part }
  if ('plan' in part) return part.plan
  if (!('use' in part)) return part
  const { model, fallback = [], patch, prompt, timeouts, retries } = part.use
  const nodes = [model, ...fallback].map((name) => ({
    // Names that come from facts are checked when they are said.
    target: name as ModelName,
    ...(patch !== undefined && { patch }),
    ...(prompt !== undefined && { prompt: typeof prompt === 'string' ? { name: prompt } : prompt }),
    ...(timeouts !== undefined && { timeouts }),
    ...(retries !== undefined && { retries }),
  }))
  const [first] = nodes
  return nodes.length === 1 && first !== undefined ? first : { strategy: 'ordered', of: nodes }
}
