import type { BillRow, Way } from './billing-upstream.ts'
import type { LedgerStand, SettledRow } from './money-rules.ts'
import type { GrownBudget, MoneyTree } from './money-tree.ts'
import type { CallResult } from './money-world.ts'

/** A call of a schedule, and when it ran. */
export interface PlacedCall {
  readonly name: string
  readonly gateway: number
  readonly plan: { readonly way: Way; readonly model: string; readonly isGone: boolean }
  readonly startMs: number
  readonly endMs: number | undefined
  readonly result: CallResult | undefined
}
export interface Case {
  readonly calls: readonly PlacedCall[]
  readonly rows: readonly SettledRow[]
  readonly stand: LedgerStand
  /** As it was when the schedule began, and how many bills there were. */
  readonly before: { readonly stand: LedgerStand; readonly bills: number }
  readonly tree: MoneyTree
  readonly bills: readonly BillRow[]
  readonly kills: readonly { readonly gateway: number; readonly atMs: number }[]
  readonly isExact: boolean
}
export interface Judgement {
  /** Calls that are settled at their bill in every budget. */
  readonly exact: number
  readonly differences: readonly string[]
  readonly violations: readonly string[]
}

const billOf = (rows: readonly BillRow[], { unit }: GrownBudget): bigint =>
  rows.reduce((sum, { nanoUsd, tokens }) => sum + (unit === 'usd' ? nanoUsd : tokens), 0n)

/** Only then may something be left that no settlement tells of: stranded. */
const killed = 'in flight at a kill'

/** Why what a call cost can be known from above only; undefined where it must be known exactly. */
function causeOf(call: PlacedCall, bills: readonly BillRow[], kills: Case['kills']): string | undefined {
  const { gateway, startMs, endMs = Number.POSITIVE_INFINITY, plan, result } = call
  // Settlements are written down before the end of an answer goes out: who has it may be sure of them.
  const isKilled = kills.some(
    (kill) => kill.gateway === gateway && kill.atMs >= startMs && kill.atMs <= endMs,
  )
  if (isKilled) return killed
  if (plan.isGone) return 'its caller went away'
  if (plan.way === 'broken' || plan.way === 'noUsage') return `the provider: ${plan.way}`
  // Where it was cut its provider may have sent all by then: what is not seen is not known.
  if (result?.isCut === true || bills.some(({ isWhole }) => !isWhole)) return 'cut at its limit'
  return undefined
}

/** What one call is settled at, in the budgets it is under. */
class CallCase {
  readonly #call: PlacedCall
  readonly #bills: readonly BillRow[]
  readonly #cause: string | undefined
  readonly violations: string[] = []
  readonly differences: string[] = []

  constructor(call: PlacedCall, bills: readonly BillRow[], kills: Case['kills']) {
    this.#call = call
    this.#bills = bills
    this.#cause = causeOf(call, bills, kills)
  }

  check(budget: GrownBudget, rows: readonly SettledRow[], stranded: bigint): void {
    const settled = rows.reduce((sum, { actual }) => sum + actual, 0n)
    const bill = billOf(this.#bills, budget)
    const overrun = rows.reduce((sum, row) => sum + row.overrun, 0n)
    if (settled === bill && overrun === 0n) return
    const kinds = [...new Set(rows.map(({ evidence }) => evidence))].join('+') || 'nothing'
    const { name, result, plan, gateway } = this.#call
    const text = `${name} (${plan.model}, ${plan.way}, gateway ${gateway}, ${result?.status} ${result?.code ?? ''}) in ${budget.prefix} ${budget.window} ${budget.unit}: settled ${settled} by ${kinds}, billed ${bill}`
    if (overrun > 0n) this.#checkOverrun(overrun, budget.unit, text)
    if (settled === bill) return
    const isReported = rows.length > 0 && rows.every(({ evidence }) => evidence === 'reported')
    if (isReported) this.violations.push(`not what was reported: ${text}`)
    else if (this.#cause === undefined) this.violations.push(`a difference without a cause: ${text}`)
    else if (settled < bill && (stranded === 0n || this.#cause !== killed))
      this.violations.push(`less than the bill (${this.#cause}): ${text}`)
    else this.differences.push(`${this.#cause}: ${text}`)
  }

  /** Beyond a hold there is only what came at once, before it could grow or the answer be cut; never all of a bound. */
  #checkOverrun(overrun: bigint, unit: GrownBudget['unit'], text: string): void {
    const sent = this.#bills.reduce((sum, { shown }) => sum + shown[unit], 0n)
    const mayGrow = /open|safe/.test(this.#call.plan.model)
    if (!mayGrow) this.violations.push(`an overrun of ${overrun} beyond a bound: ${text}`)
    else if (overrun > sent) this.violations.push(`an overrun of ${overrun}, and ${sent} was sent: ${text}`)
  }
}

/** Compares what is settled with what was billed, call by call and budget by budget, once all is at rest. */
export function judgeCalls(given: Case): Judgement {
  const { calls, rows, stand, tree, kills } = given
  const bills = Map.groupBy(given.bills, ({ name }) => name)
  const settled = Map.groupBy(rows, ({ callId, budgetId }) => `${callId} ${budgetId}`)
  const hard = tree.budgets.filter(({ mode }) => mode === 'hard')
  const differences: string[] = []
  const violations: string[] = []
  let exact = 0
  for (const call of calls) {
    const { id, status } = call.result ?? {}
    const billed = bills.get(call.name) ?? []
    // A refused call went to no provider; one with a fallback may have, and one that was lost is only in the sums.
    if (status === 402 && billed.length > 0 && call.plan.way !== 'broken' && call.plan.way !== 'noUsage') {
      violations.push(`refused, and billed ${billed.length} times: ${call.name}`)
    }
    if (id === undefined) {
      if (billed.length > 0) differences.push(`ended before its caller learnt its id: ${call.name}`)
      continue
    }
    const one = new CallCase(call, billed, kills)
    for (const budget of hard) {
      if (!call.name.startsWith(budget.prefix)) continue
      const windows = stand.windows.filter(({ budgetId }) => budgetId === budget.id)
      const stranded = windows.reduce((sum, each) => sum + each.stranded, 0n)
      one.check(budget, settled.get(`${id} ${budget.id}`) ?? [], stranded)
    }
    if (one.violations.length + one.differences.length === 0) exact++
    violations.push(...one.violations)
    differences.push(...one.differences)
  }
  violations.push(...hard.flatMap((budget) => checkSums(budget, given, differences)))
  return { exact, differences, violations }
}

/** A budget's sums at rest: the settlements explain all that is settled, and without kills they are the bill. */
function checkSums(budget: GrownBudget, given: Case, differences: readonly string[]): string[] {
  const { stand, before, rows, bills, isExact } = given
  const sum = (name: 'settled' | 'leased' | 'stranded' | 'overrun', of = stand): bigint =>
    of.windows.reduce((all, each) => (each.budgetId === budget.id ? all + each[name] : all), 0n)
  const explained = rows.reduce((all, row) => (row.budgetId === budget.id ? all + row.actual : all), 0n)
  const text = `${budget.prefix} ${budget.window} ${budget.unit}`
  const broken: string[] = []
  const known = sum('settled') + sum('overrun')
  if (known !== explained) broken.push(`${text}: settled ${known} with overruns, explained ${explained}`)
  if (sum('leased') !== 0n) broken.push(`I6 ${text}: ${sum('leased')} is leased, and nobody needs it`)
  if (!isExact) return broken
  const own = bills.slice(before.bills).filter(({ name }) => name.startsWith(budget.prefix))
  const [bill, settled] = [billOf(own, budget), sum('settled') - sum('settled', before.stand)]
  // An answer that was cut where the money ended tells no usage.
  const isCut = differences.some((each) => each.includes(` ${budget.prefix}`))
  if (settled !== bill && !isCut) broken.push(`I6 ${text}: settled ${settled}, billed ${bill}`)
  const stranded = sum('stranded') - sum('stranded', before.stand)
  if (stranded > 0n) broken.push(`I6 ${text}: ${stranded} is stranded, and nobody died`)
  return broken
}
