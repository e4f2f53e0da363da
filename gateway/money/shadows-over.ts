import type { StateBudget } from '@signalbox/sdk/contract'
import type { CallBudgets } from './call-budgets.ts'
import type { Money } from './money.ts'
import { amountAt, type RequestBound } from './request-bound.ts'

const none: readonly StateBudget[] = []

/** The shadow budgets that would not let an attempt go that writes so many tokens; counted. */
export function shadowsOver(
  money: Money,
  { budgets, bound }: { readonly budgets: CallBudgets; readonly bound: RequestBound | undefined },
  outputTokens: number,
): readonly StateBudget[] {
  let found: StateBudget[] | undefined
  if (bound === undefined) return none
  for (const set of budgets) {
    for (const budget of set.shadows) {
      if (!isOver(money, budget, amountAt(bound, set.unit, outputTokens))) continue
      found ??= []
      found.push(budget)
    }
  }
  money.counts.wouldRefuse += found?.length ?? 0
  return found ?? none
}

function isOver(money: Money, { id }: StateBudget, amount: bigint): boolean {
  const window = money.windowOf(id)
  if (window === undefined) return false
  const used = BigInt(window.settled) + BigInt(window.stranded) + BigInt(window.overrun)
  return used + amount > BigInt(window.limit)
}
