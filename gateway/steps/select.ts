import {
  type PlanNode,
  planDepthMax,
  Refusal,
  type Selection,
  type TargetNode,
} from '@signalbox/sdk/contract'
import type { Target } from '../targets.ts'

/** A target that will be tried, and what the plan says about it. */
export interface PlannedTarget {
  readonly target: Target
  readonly node: TargetNode
}
export interface Selected {
  readonly selection: Selection
  /** In the order of trying. */
  readonly order: readonly PlannedTarget[]
  /** What the first passed-over target lacks, for a caller who gets none. */
  readonly missing: { readonly connection: string; readonly credential: string } | undefined
}

const targetsMax = 64

function invalid(detail: string): never {
  throw new Refusal('policy_invalid_decision', { detail })
}

/** The targets of a plan in order. Only `ordered` has an engine; the compiler refuses the others before. */
function flatten(node: PlanNode, depth: number, into: TargetNode[]): void {
  if (depth > planDepthMax) invalid(`the plan is deeper than ${planDepthMax}`)
  if ('target' in node) {
    if (into.length < targetsMax) into.push(node)
  } else if ('strategy' in node) {
    if (node.strategy !== 'ordered') invalid(`the strategy ${node.strategy} has no engine here`)
    for (const child of node.of) flatten(child, depth + 1, into)
  } else {
    invalid('a pipeline has no engine here')
  }
}

/**
 * Picks inside a plan: a pure function of the tree, the recorded seed and what the connections are. Targets that
 * cannot be used are passed over with the reason.
 * @throws Refusal `policy_invalid_decision` for a plan that cannot be executed.
 */
export function select(plan: PlanNode, seed: number, find: (name: string) => Target | undefined): Selected {
  const nodes: TargetNode[] = []
  flatten(plan, 1, nodes)
  const order: PlannedTarget[] = []
  const skipped: Selection['skipped'] = []
  let missing: Selected['missing']
  for (const node of nodes) {
    const target = find(node.target)
    if (target === undefined) {
      skipped.push({ target: node.target, reason: 'unknown connection' })
    } else if (target.connection.status === 'unavailable') {
      const credential = target.connection.missing ?? 'credential'
      missing ??= { connection: target.connection.name, credential }
      skipped.push({ target: node.target, reason: `unavailable: ${credential} is missing`.slice(0, 128) })
    } else {
      order.push({ target, node })
    }
  }
  return { selection: { seed, order: order.map(({ node }) => node.target), skipped }, order, missing }
}

/** Why a selection without targets cannot serve the call. */
export function refusalOfEmpty({ missing, selection }: Selected): Refusal {
  if (missing === undefined) {
    const detail = selection.skipped.map((each) => `${each.target}: ${each.reason}`).join(', ')
    return new Refusal('policy_invalid_decision', { detail: `no usable target; ${detail}` })
  }
  return new Refusal('connection_unavailable', {
    message: `The connection "${missing.connection}" has no credential: ${missing.credential} is not set.`,
  })
}
