import type { BudgetUnit, StateBudget } from '@signalbox/sdk/contract'
import { type ByOwner, byOwner, ownedOnPath } from '../owned-by.ts'
import type { Snapshot } from '../snapshot.ts'

/** All budgets of one unit that a call is under; a lease is deducted from all of them at once. */
export interface BudgetSet {
  /** The budgets' ids, joined: sets with the same budgets share their leases. */
  readonly id: string
  readonly unit: BudgetUnit
  readonly budgets: readonly StateBudget[]
  /** At least one of them refuses what cannot be proved to fit. */
  readonly isHard: boolean
  /** Those that only watch. */
  readonly shadows: readonly StateBudget[]
}
/** What limits a caller: none or one set of each unit. */
export type CallBudgets = readonly BudgetSet[]

interface SnapshotBudgets {
  readonly owned: ByOwner<StateBudget>
  readonly ofCallers: Map<string, CallBudgets>
}

/** Callers whose budgets are kept ready. */
const callersMax = 10_000
const known = new WeakMap<Snapshot, SnapshotBudgets>()
const none: CallBudgets = []

function indexOf(snapshot: Snapshot, budgets: readonly StateBudget[]): SnapshotBudgets {
  let index = known.get(snapshot)
  if (index === undefined) {
    index = { owned: byOwner(budgets), ofCallers: new Map() }
    known.set(snapshot, index)
  }
  return index
}

function setOf(unit: BudgetUnit, budgets: readonly StateBudget[]): BudgetSet[] {
  const own = budgets.filter((budget) => budget.unit === unit)
  if (own.length === 0) return []
  const id = own.map((budget) => budget.id).join(' ')
  const shadows = own.filter(({ mode }) => mode === 'shadow')
  return [{ id, unit, budgets: own, isHard: own.some(({ mode }) => mode === 'hard'), shadows }]
}

/** The budgets of a key and of every node above it. Empty for most callers, and then found without a look. */
export function budgetsOf(
  snapshot: Snapshot,
  key: { readonly id: string; readonly node: string },
): CallBudgets {
  const { budgets } = snapshot.state
  if (budgets === undefined || budgets.length === 0) return none
  const { owned, ofCallers } = indexOf(snapshot, budgets)
  const ready = ofCallers.get(key.id)
  if (ready !== undefined) return ready
  const found = ownedOnPath(owned, key, snapshot)
  found.sort((a, b) => (a.id < b.id ? -1 : 1))
  const sets = [...setOf('usd', found), ...setOf('tokens', found)]
  if (ofCallers.size < callersMax) ofCallers.set(key.id, sets)
  return sets
}
