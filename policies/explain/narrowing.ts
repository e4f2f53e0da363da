import type { Caps, Narrowing, RemovedCandidate } from '@signalbox/sdk/contract'
import { type FilterColumns, fitsFilter } from '../evaluation/layer-path.ts'
import type { PolicyOutcome } from '../evaluation/outcomes.ts'
import { guardText, misfitText } from './effect-text.ts'

type ColumnsOf = (target: string) => FilterColumns

/** What one constraint did to the call. */
export interface ConstraintEffects {
  readonly narrowing: Narrowing | null
  readonly guardrails: readonly string[]
  readonly caps: Caps
}

const narrowCode = 'MODEL_NOT_ALLOWED'

function removals(
  said: PolicyOutcome,
  candidates: readonly string[],
  columnsOf: ColumnsOf,
): RemovedCandidate[] {
  const removed: RemovedCandidate[] = []
  const gone = new Set<string>()
  for (const { rule, effects } of said.said) {
    for (const effect of effects) {
      if (!('only' in effect)) continue
      const { where, code = narrowCode } = effect.only
      for (const target of candidates) {
        const columns = columnsOf(target)
        if (gone.has(target) || fitsFilter(columns, where)) continue
        gone.add(target)
        const { workspace, id: policy } = said.policy
        removed.push({ target, workspace, policy, rule: rule.id, code, why: misfitText(columns, where) })
      }
    }
  }
  return removed
}

function smallestCaps(said: PolicyOutcome): Caps {
  const caps: Caps = {}
  for (const effect of said.said.flatMap(({ effects }) => effects)) {
    if (!('cap' in effect)) continue
    for (const name of ['maxOutputTokens', 'costNanoUsd'] as const) {
      const value = effect.cap[name]
      if (value !== undefined) caps[name] = Math.min(caps[name] ?? value, value)
    }
  }
  return caps
}

/**
 * What constraints took from the candidates, in the order given: each works on what those before it left. The order
 * decides only which of two gets the blame.
 */
export function narrowCandidates(
  constraints: readonly PolicyOutcome[],
  candidates: readonly string[],
  columnsOf: ColumnsOf,
): { readonly of: ReadonlyMap<PolicyOutcome, ConstraintEffects>; readonly all: Narrowing } {
  let left = candidates
  const all: RemovedCandidate[] = []
  const of = new Map<PolicyOutcome, ConstraintEffects>()
  for (const said of constraints) {
    const effects = said.said.flatMap((rule) => rule.effects)
    const removed = removals(said, left, columnsOf)
    const gone = new Set(removed.map(({ target }) => target))
    const before = left.length
    left = left.filter((target) => !gone.has(target))
    all.push(...removed)
    const filters = effects.some((effect) => 'only' in effect)
    of.set(said, {
      narrowing: filters ? { before, after: left.length, removed } : null,
      guardrails: effects.flatMap((each) => ('requireGuard' in each ? [guardText(each.requireGuard)] : [])),
      caps: smallestCaps(said),
    })
  }
  return { of, all: { before: candidates.length, after: left.length, removed: all } }
}
