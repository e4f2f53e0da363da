import { Refusal } from '@signalbox/sdk/contract'
import type { Call } from '../call.ts'
import type { BudgetSet, CallBudgets } from '../money/call-budgets.ts'
import { amountAt, boundOf, type RequestBound, usdAt } from '../money/request-bound.ts'
import { traitsOf } from '../money/request-traits.ts'
import { batchPrices } from './batch-prices.ts'
import type { DecidedLine } from './decide-line.ts'

/** A likely answer, for budgets that never refuse; of the bound of the input a fourth is likely. */
const likelyOutputTokens = 1024
const likelyShare = 4n

function boundFor(call: Call, { target }: DecidedLine): RequestBound | undefined {
  const { native, summary } = call
  if (native?.billing === 'reported') return undefined
  const asked = summary.maxOutputTokens ?? target.outputTokensMax ?? target.contextTokens
  return boundOf({
    // The provider reads what the line names, however it names it: nothing is spliced.
    traits: traitsOf(call),
    bodyBytes: call.raw.length,
    prices: batchPrices(target),
    contextTokens: target.contextTokens,
    outputTokens: native?.billing === 'input' ? 0 : asked,
    choices: summary.choices ?? 1,
    vendor: target.row?.provider,
  })
}

/** What the lines of a batch may cost together, by the budgets that they are under. */
export class BatchBounds {
  readonly #budgets: CallBudgets
  readonly #sums = new Map<BudgetSet, bigint>()

  constructor(budgets: CallBudgets) {
    this.#budgets = budgets
    for (const set of budgets) this.#sums.set(set, 0n)
  }

  /**
   * Adds a line.
   * @throws Refusal `price_unknown` where nothing bounds it and a hard budget covers it, `budget_exhausted` where it
   * can cost more than its decision allows.
   */
  add(call: Call, decided: DecidedLine): void {
    if (call.native?.billing === 'free') return
    const bound = boundFor(call, decided)
    checkCap(bound, decided)
    for (const set of this.#budgets) {
      const amount = set.isHard ? mostOf(bound, set, decided) : likelyOf(bound, set)
      this.#sums.set(set, (this.#sums.get(set) ?? 0n) + amount)
    }
  }

  /** What is to be kept of each set of budgets. */
  sums(): readonly { readonly set: BudgetSet; readonly amount: bigint }[] {
    return [...this.#sums].map(([set, amount]) => ({ set, amount }))
  }
}

/** A decision's ceiling is that of each line, as of each call. */
function checkCap(bound: RequestBound | undefined, { caps, target }: DecidedLine): void {
  if (caps.costNanoUsd === undefined) return
  if (bound?.inputPico === undefined || bound.outputTokens === undefined) throw unknownPrice(target.shownName)
  if (usdAt(bound, bound.outputTokens) <= BigInt(caps.costNanoUsd)) return
  const message = "It can cost more than the decision's ceiling."
  throw new Refusal('budget_exhausted', { message, detail: 'caps.costNanoUsd' })
}

function mostOf(bound: RequestBound | undefined, { unit }: BudgetSet, { target }: DecidedLine): bigint {
  const isPriced = unit === 'tokens' || bound?.inputPico !== undefined
  if (bound?.outputTokens === undefined || !isPriced) throw unknownPrice(target.shownName)
  return amountAt(bound, unit, bound.outputTokens)
}

const unknownPrice = (name: string): Refusal =>
  new Refusal('price_unknown', {
    message: `What it can cost at ${name} is not known, and a hard budget covers it.`,
  })

function likelyOf(bound: RequestBound | undefined, { unit }: BudgetSet): bigint {
  if (bound === undefined || (unit === 'usd' && bound.inputPico === undefined)) return 0n
  const tokens = Math.min(bound.outputTokens ?? likelyOutputTokens, likelyOutputTokens)
  return amountAt(bound, unit, tokens) / likelyShare
}
