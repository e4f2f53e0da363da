import type { PlanNode, Selection } from '@signalbox/sdk/contract'
import { arrangePlan, targetsInOrder } from './arrange-plan.ts'

/** The order of targets that a plan gives for a recorded selection: the recorded one, unless something is wrong. */
export function replaySelection(plan: PlanNode, selection: Selection): string[] {
  const sights = new Map((selection.health ?? []).map((sight) => [sight.target, sight]))
  const { legs } = arrangePlan(plan, {
    seed: selection.seed,
    sightOf: (target) => sights.get(target),
    affinity: selection.affinity ?? {},
  })
  return targetsInOrder(legs)
}
