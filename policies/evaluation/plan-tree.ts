import type { Caps, PlanNode, StrategyNode, TargetNode } from '@signalbox/sdk/contract'

/** Targets of a plan, in the order in which they stand. */
export function targetsOf(node: PlanNode): string[] {
  if ('target' in node) return [node.target]
  const children = 'strategy' in node ? node.of : node.pipeline.map((step) => step.node)
  return children.flatMap(targetsOf)
}

/** One node for several: itself where it is alone, else tried in order. */
export function orderedOf(nodes: readonly PlanNode[]): PlanNode | null {
  const [first] = nodes
  if (first === undefined) return null
  return nodes.length === 1 ? first : { strategy: 'ordered', of: [...nodes] }
}

/** Targets in order, each once, with the same changes. */
export function orderedTargets(
  targets: readonly string[],
  extras: Omit<TargetNode, 'target'> = {},
): PlanNode | null {
  return orderedOf([...new Set(targets)].map((target) => ({ target, ...extras })))
}

/** A strategy whose weights are those of the parts that are left. */
function keepWeights(node: StrategyNode, kept: readonly (PlanNode | null)[]): StrategyNode {
  const weights = node.with?.weights
  if (!Array.isArray(weights)) return node
  return { ...node, with: { ...node.with, weights: weights.filter((_, index) => kept[index] !== null) } }
}

/** A plan without the targets that are not allowed; null where nothing is left. The same object where all are. */
export function keepTargets(node: PlanNode, isAllowed: (target: string) => boolean): PlanNode | null {
  if ('target' in node) return isAllowed(node.target) ? node : null
  if ('strategy' in node) {
    const kept = node.of.map((child) => keepTargets(child, isAllowed))
    if (kept.every((child, index) => child === node.of[index])) return node
    const left = kept.filter((child) => child !== null)
    if (node.strategy === 'ordered') return orderedOf(left)
    return left.length === 0 ? null : { ...keepWeights(node, kept), of: left }
  }
  // A pipeline with a step missing is another pipeline.
  const steps = node.pipeline.map((step) => ({ ...step, node: keepTargets(step.node, isAllowed) }))
  const whole = steps.filter((step): step is typeof step & { node: PlanNode } => step.node !== null)
  return whole.length < steps.length ? null : { pipeline: whole }
}

function clampTarget(node: TargetNode, tokensMax: number): TargetNode {
  const asked = node.patch?.maxOutputTokens
  if (asked === undefined || asked <= tokensMax) return node
  return { ...node, patch: { ...node.patch, maxOutputTokens: tokensMax } }
}

/** A plan whose patches stay within the caps. */
export function clampPatches(node: PlanNode, caps: Caps): PlanNode {
  const { maxOutputTokens } = caps
  if (maxOutputTokens === undefined) return node
  if ('target' in node) return clampTarget(node, maxOutputTokens)
  if ('strategy' in node) return { ...node, of: node.of.map((child) => clampPatches(child, caps)) }
  return { pipeline: node.pipeline.map((step) => ({ ...step, node: clampPatches(step.node, caps) })) }
}

/** A plan with its names replaced by targets; null where one of them means nothing. */
export function resolvePlan(node: PlanNode, resolve: (node: TargetNode) => PlanNode | null): PlanNode | null {
  if ('target' in node) return resolve(node)
  if ('strategy' in node) {
    const children = node.of.map((child) => resolvePlan(child, resolve))
    const known = children.filter((child) => child !== null)
    return known.length < children.length ? null : { ...node, of: known }
  }
  const steps = node.pipeline.map((step) => ({ ...step, node: resolvePlan(step.node, resolve) }))
  const known = steps.filter((step): step is typeof step & { node: PlanNode } => step.node !== null)
  return known.length < steps.length ? null : { pipeline: known }
}
