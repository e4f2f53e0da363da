import { type Patch, UseEffect } from './use.ts'

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
  readonly target: string
  readonly patch?: Patch
  readonly prompt?: { readonly name: string }
  readonly timeouts?: {
    readonly connectMs?: number
    readonly firstTokenMs?: number
    readonly idleMs?: number
    readonly totalMs?: number
  }
}
export interface StrategyNode {
  readonly strategy: Strategy
  readonly of: readonly PlanNode[]
  readonly with?: { readonly [option: string]: unknown }
}
export interface PipelineStep {
  readonly id: string
  readonly node: PlanNode
  readonly onlyIf?: unknown
  readonly onFailure: 'nextTarget' | 'returnPrevious' | 'fail'
}
export interface PipelineNode {
  readonly pipeline: readonly PipelineStep[]
}
export type PlanNode = TargetNode | StrategyNode | PipelineNode
export interface PlanEffect {
  readonly plan: PlanNode
}
/** What a strategy can stand over: an alias, a target, a `use(…)` or another plan. */
export type PlanPart = string | UseEffect | PlanEffect | PlanNode

function nodeOf(part: PlanPart): PlanNode {
  if (typeof part === 'string') return { target: part }
  if (!(part instanceof UseEffect)) return 'plan' in part ? part.plan : part
  const { model, fallback = [], patch, prompt } = part.use
  const nodes = [model, ...fallback].map((name) => ({
    target: name,
    ...(patch !== undefined && { patch }),
    ...(prompt !== undefined && { prompt: { name: prompt } }),
  }))
  const [first] = nodes
  return nodes.length === 1 && first !== undefined ? first : { strategy: 'ordered', of: nodes }
}

function strategyOf(strategy: Strategy, parts: readonly PlanPart[]): PlanEffect {
  return { plan: { strategy, of: parts.map(nodeOf) } }
}

/** A target with its own changes, prompt and time limits, for use inside a plan. */
export function target(name: string, options: Omit<TargetNode, 'target'> = {}): TargetNode {
  return { target: name, ...options }
}

/** Tries the parts in order until one answers. */
export function ordered(...parts: readonly PlanPart[]): PlanEffect {
  return strategyOf('ordered', parts)
}

/*
 * The plan tree knows the strategies below, but nothing executes them yet: `signalbox check` refuses them.
 */
/** Splits calls by weight. */
export function weighted(
  ...parts: readonly { readonly weight: number; readonly part: PlanPart }[]
): PlanEffect {
  const nodes = parts.map(({ part }) => nodeOf(part))
  return { plan: { strategy: 'weighted', of: nodes, with: { weights: parts.map(({ weight }) => weight) } } }
}
export function lowestCost(...parts: readonly PlanPart[]): PlanEffect {
  return strategyOf('lowestCost', parts)
}
export function lowestLatency(...parts: readonly PlanPart[]): PlanEffect {
  return strategyOf('lowestLatency', parts)
}
export function leastBusy(...parts: readonly PlanPart[]): PlanEffect {
  return strategyOf('leastBusy', parts)
}
export function sticky(...parts: readonly PlanPart[]): PlanEffect {
  return strategyOf('sticky', parts)
}
export function hedged(...parts: readonly PlanPart[]): PlanEffect {
  return strategyOf('hedged', parts)
}
/** One step of a pipeline. */
export function step(
  id: string,
  part: PlanPart,
  options: { readonly onlyIf?: unknown; readonly onFailure?: PipelineStep['onFailure'] } = {},
): PipelineStep {
  const { onlyIf, onFailure = 'fail' } = options
  return { id, node: nodeOf(part), onFailure, ...(onlyIf !== undefined && { onlyIf }) }
}
export function pipeline(...steps: readonly PipelineStep[]): PlanEffect {
  return { plan: { pipeline: steps } }
}
