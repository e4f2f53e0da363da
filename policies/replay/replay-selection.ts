import {
  type Decision,
  type Facts,
  type PlanNode,
  planDepthMax,
  type Selection,
} from '@signalbox/sdk/contract'

/** Whether the targets that the host picked inside a plan follow from the plan and the health of the time. */
export interface ReplayedSelection {
  readonly status: 'same' | 'different' | 'unchecked'
  readonly recorded: readonly string[]
  readonly replayed: readonly string[] | null
  /** Why it was not checked, or what differs. */
  readonly why: string | null
}
/** What the host would try, in order. `unknown`: targets whose health is not among the facts. */
export interface SelectedTargets {
  readonly order: readonly string[]
  readonly unknown: readonly string[]
}

/** Targets of a plan in the order of trying; the name of what has no engine here otherwise. */
function flatten(node: PlanNode, depth: number, into: string[]): string | undefined {
  if (depth > planDepthMax) return `a plan deeper than ${planDepthMax}`
  if ('target' in node) {
    into.push(node.target)
    return undefined
  }
  if (!('strategy' in node)) return 'a pipeline'
  if (node.strategy !== 'ordered') return `the strategy ${node.strategy}`
  for (const child of node.of) {
    const absent = flatten(child, depth + 1, into)
    if (absent !== undefined) return absent
  }
  return undefined
}

/** Picks inside a plan as the gateway does, from the health among the facts; a text where that cannot be said. */
export function selectFrom(plan: PlanNode, facts: Facts): SelectedTargets | string {
  const targets: string[] = []
  const absent = flatten(plan, 1, targets)
  if (absent !== undefined) return `${absent} cannot be replayed here`
  const health = new Map(facts.models.map(({ target, health: { state } }) => [target, state]))
  return {
    order: targets.filter((target) => health.get(target) !== 'unavailable'),
    unknown: targets.filter((target) => !health.has(target)),
  }
}

/**
 * Picks again inside a decided plan, and compares. Pure: tree, seed and health stand in the record. Undefined for calls
 * that got no further than their decision.
 */
export function replaySelection(
  decision: Decision,
  facts: Facts,
  recorded: Selection | undefined,
): ReplayedSelection | undefined {
  if (recorded === undefined || decision.plan === undefined) return undefined
  const selected = selectFrom(decision.plan, facts)
  if (typeof selected === 'string') {
    return { status: 'unchecked', recorded: recorded.order, replayed: null, why: selected }
  }
  const passed = new Set(recorded.skipped.map(({ target }) => target))
  // Of a target that was no candidate only the record says whether it could be used.
  const order = selected.order.filter((target) => !selected.unknown.includes(target) || !passed.has(target))
  const isSame =
    order.length === recorded.order.length && order.every((each, at) => each === recorded.order[at])
  const found = { recorded: recorded.order, replayed: order }
  if (!isSame) {
    return { status: 'different', ...found, why: 'the same plan and health give other targets here' }
  }
  const [unknown] = selected.unknown
  return unknown === undefined
    ? { status: 'same', ...found, why: null }
    : { status: 'unchecked', ...found, why: `the health of ${unknown} was not recorded` }
}
