import { formatUsd } from '../prices.ts'

/** What is left of a budget that a call does not fit into. Amounts in nano-dollars or tokens, as its unit says. */
export interface BudgetShort {
  readonly unit: 'usd' | 'tokens'
  readonly left: bigint
  /** The least that has to be kept for the call. */
  readonly need: bigint
  readonly resetsAtMs: number | null
}

/** Tells a caller why a budget refuses: that nothing is left, or how much and what their call needs. */
export function budgetRefusal({ unit, left, need, resetsAtMs }: BudgetShort): string {
  const amount = (of: bigint): string => (unit === 'usd' ? `$${formatUsd(of)}` : `${of} tokens`)
  const resets = resetsAtMs === null ? '' : ` It resets at ${new Date(resetsAtMs).toISOString()}.`
  if (left <= 0n || left >= need) return `A budget is used up.${resets}`
  return `A budget has ${amount(left)} left, and ${amount(need)} must be kept for this call.${resets}`
}
