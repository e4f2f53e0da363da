import type { ReplyOf, recordOperations } from '@signalbox/sdk/contract'

/** Calls, what they cost and what they used, in sum. */
export type Totals = ReplyOf<(typeof recordOperations)['getOverview']>['totals']

/** Sums as the database gives them: 64-bit ones as text. */
export type TotalsRow = { [K in keyof Totals]: Totals[K] | string }

export function decodeTotals(row: TotalsRow): Totals {
  return {
    calls: Number(row.calls),
    errors: Number(row.errors),
    denied: Number(row.denied),
    costNanoUsd: String(row.costNanoUsd),
    unpriced: Number(row.unpriced),
    inputTokens: Number(row.inputTokens),
    outputTokens: Number(row.outputTokens),
  }
}
/** The sums of no record. */
export const nothing: Totals = {
  calls: 0,
  errors: 0,
  denied: 0,
  costNanoUsd: '0',
  unpriced: 0,
  inputTokens: 0,
  outputTokens: 0,
}

export function addTotals(sum: Totals, each: Totals): Totals {
  return {
    calls: sum.calls + each.calls,
    errors: sum.errors + each.errors,
    denied: sum.denied + each.denied,
    costNanoUsd: String(BigInt(sum.costNanoUsd) + BigInt(each.costNanoUsd)),
    unpriced: sum.unpriced + each.unpriced,
    inputTokens: sum.inputTokens + each.inputTokens,
    outputTokens: sum.outputTokens + each.outputTokens,
  }
}
