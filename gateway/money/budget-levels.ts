import type { BudgetLevel, StateBudget, WindowBalance } from '@signalbox/sdk/contract'
import type { Snapshot } from '../snapshot.ts'
import type { CallBudgets } from './call-budgets.ts'
import type { Money } from './money.ts'

/** Facts name at most so many levels: they must stay small. */
const levelsMax = 16
const safeMax = BigInt(Number.MAX_SAFE_INTEGER)
const ppm = 1_000_000n

/** As facts have amounts: a safe integer that saturates. */
const toSafe = (amount: bigint): number => Number(amount < 0n ? 0n : amount > safeMax ? safeMax : amount)

interface WindowUse {
  readonly limit: bigint
  readonly settled: bigint
  readonly reserved: bigint
  /** The part of a level that is the same for every call. */
  readonly facts: Pick<BudgetLevel, 'limitNanoUsd' | 'reservedNanoUsd' | 'settledNanoUsd' | 'usedPpm'>
}
/** Each word of the ledger is read by many calls. */
const read = new WeakMap<WindowBalance, WindowUse>()

/** What stands in the way of spending: settled, held here or elsewhere, lost from sight, billed beyond. */
export function usedOf(window: WindowBalance): WindowUse {
  let use = read.get(window)
  if (use === undefined) {
    const settled = BigInt(window.settled) + BigInt(window.overrun)
    const reserved = BigInt(window.leased) + BigInt(window.stranded)
    const limit = BigInt(window.limit)
    const facts = {
      ...{ limitNanoUsd: toSafe(limit), reservedNanoUsd: toSafe(reserved), settledNanoUsd: toSafe(settled) },
      usedPpm: limit === 0n ? Number(ppm) : toSafe((settled * ppm) / limit),
    }
    use = { limit, settled, reserved, facts }
    read.set(window, use)
  }
  return use
}

/** What the ledger and the leases in hand leave of a budget. */
function remainingOf(window: WindowBalance, inHand: bigint): bigint {
  const { limit, settled, reserved } = usedOf(window)
  const left = limit - settled - reserved
  return (left < 0n ? 0n : left) + inHand
}

function scopeOf({ owner }: StateBudget, snapshot: Snapshot): string {
  const node = owner.kind === 'node' ? snapshot.nodes.get(owner.id) : undefined
  return `${owner.kind === 'key' ? 'key' : (node?.kind ?? 'node')}/${node?.name ?? owner.id}`.slice(0, 256)
}

/** A budget as its holder may see it, in its own unit. */
export interface BudgetView {
  readonly budget: StateBudget
  readonly window: WindowBalance
  readonly remaining: bigint
}

/** The budgets of a caller of which the ledger has said something yet. */
export function viewsOf(budgets: CallBudgets, money: Money): BudgetView[] {
  return budgets.flatMap((set) => {
    const inHand = money.poolOf(set).free()
    return set.budgets.flatMap((budget): BudgetView[] => {
      const window = money.windowOf(budget.id)
      return window === undefined ? [] : [{ budget, window, remaining: remainingOf(window, inHand) }]
    })
  })
}

function levelOf({ budget, window, remaining }: BudgetView, snapshot: Snapshot): BudgetLevel {
  const { limitNanoUsd, reservedNanoUsd, settledNanoUsd, usedPpm } = usedOf(window).facts
  // In the order of canonical JSON, as all facts are.
  return {
    limitNanoUsd,
    mode: budget.mode,
    nodeId: budget.owner.id,
    remainingNanoUsd: toSafe(remaining),
    reservedNanoUsd,
    ...(window.endMs !== null && { resetsAtMs: window.endMs }),
    scope: scopeOf(budget, snapshot),
    settledNanoUsd,
    usedPpm,
    window: budget.window,
  }
}

/** What policies may know of a call's budgets of money; budgets of tokens have no place in nano-dollars. */
export function budgetFacts(
  budgets: CallBudgets,
  snapshot: Snapshot,
  money: Money,
): { readonly levels: BudgetLevel[]; readonly tightest?: BudgetLevel } {
  const levels = viewsOf(budgets, money)
    .filter(({ budget }) => budget.unit === 'usd')
    .slice(0, levelsMax)
    .map((view) => levelOf(view, snapshot))
  let tightest: BudgetLevel | undefined
  for (const level of levels) {
    const isCloser = tightest === undefined || level.remainingNanoUsd < tightest.remainingNanoUsd
    if (level.mode !== 'shadow' && isCloser) tightest = level
  }
  return { levels, ...(tightest !== undefined && { tightest }) }
}

/** What the tightest budget of money leaves, in nano-dollars; undefined where there is none or nothing is known. */
export function remainingNanoUsd(budgets: CallBudgets, money: Money): bigint | undefined {
  let least: bigint | undefined
  for (const { budget, remaining } of viewsOf(budgets, money)) {
    if (budget.unit !== 'usd' || budget.mode === 'shadow') continue
    if (least === undefined || remaining < least) least = remaining
  }
  return least
}
