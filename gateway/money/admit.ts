import { Refusal } from '@signalbox/sdk/contract'
import { AttemptHold, type AttemptHoldState, type HoldKind, runAheadTokens } from './attempt-hold.ts'
import type { BudgetSet, CallBudgets } from './call-budgets.ts'
import type { Hold, HoldOwner } from './hold.ts'
import type { WaiterAnswer } from './lease-pool.ts'
import type { Money } from './money.ts'
import { budgetRefusal } from './refusal-text.ts'
import { amountAt, isFree, outputFor, type RequestBound, usdAt } from './request-bound.ts'
import { shadowsOver } from './shadows-over.ts'

/** An attempt that wants to go out. */
export interface AdmitInput {
  readonly budgets: CallBudgets
  readonly owner: HoldOwner
  /** Undefined where nothing bounds the request's input. */
  readonly bound: RequestBound | undefined
  /** Its target shows all of its output and stops billing when it is cut. */
  readonly canGrow: boolean
  readonly isVisible: boolean
  readonly isStream: boolean
  readonly stopsBilling: boolean
  /** What the decision's ceiling leaves, in nano-dollars. */
  readonly capLeft: bigint | undefined
  readonly priceDigest: string | undefined
  /** For refusals. */
  readonly targetName: string
}

/** A limit below this makes no answer; some providers refuse it. */
const outputTokensMin = 16
/** Where nothing limits the answer, it is limited to this. */
const unlimitedTokens = 8192
/** A likely answer, for budgets that never refuse; of the bound of the input a fourth is likely. */
const likelyOutputTokens = 1024
/** After the ledger left a soft budget's call waiting, no other waits for so long. */
const quietMs = 5000

/**
 * Keeps what an attempt may cost, in every budget that it is under. At once where the leases in hand cover it; else
 * after one question to the ledger, which all who wait share.
 * @throws Refusal `budget_exhausted`, `price_unknown`, or `not_ready` where the ledger gives no answer in time.
 */
export function admit(money: Money, input: AdmitInput): AttemptHold | Promise<AttemptHold> {
  const admission = new Admission(money, input)
  return admission.takeAtOnce() ?? admission.wait()
}

class Admission {
  readonly #money: Money
  readonly #input: AdmitInput
  readonly #hard: readonly BudgetSet[]
  readonly #soft: readonly BudgetSet[]
  readonly #isLimited: boolean

  constructor(money: Money, input: AdmitInput) {
    this.#money = money
    this.#input = input
    const { bound, budgets } = input
    const isCostless = bound !== undefined && isFree(bound)
    const sets = isCostless ? budgets.filter(({ unit }) => unit !== 'usd') : budgets
    this.#hard = sets.filter((set) => set.isHard)
    this.#soft = sets.filter((set) => !set.isHard)
    this.#isLimited = this.#hard.length > 0 || input.capLeft !== undefined
    if (this.#isLimited) this.#checkBounded()
  }

  /** What must not cost too much must have a cost that is known before. */
  #checkBounded(): void {
    const { bound, capLeft, targetName } = this.#input
    const isMoney = capLeft !== undefined || this.#hard.some(({ unit }) => unit === 'usd')
    if (bound === undefined) {
      const message = `What this request can cost at ${targetName} has no bound, and a hard budget covers it.`
      throw new Refusal('price_unknown', { message })
    }
    if (isMoney && bound.inputPico === undefined) {
      const message = `The price of this request at ${targetName} is not known, and a hard budget covers it.`
      throw new Refusal('price_unknown', { message })
    }
  }

  get #full(): number {
    return this.#input.bound?.outputTokens ?? unlimitedTokens * (this.#input.bound?.answers ?? 1)
  }

  /** A limit that the request does not carry must be put on it. */
  get #fullKind(): HoldKind {
    return this.#input.bound?.outputTokens === undefined ? 'clamped' : 'full'
  }

  takeAtOnce(): AttemptHold | undefined {
    if (!this.#isLimited) return this.#isSoftReady() ? this.#expected() : undefined
    return this.#takeFull() ?? (this.#input.canGrow ? this.#takeGrowing() : undefined)
  }

  #isSoftReady(): boolean {
    return this.#soft.every((set) => {
      const pool = this.#money.poolOf(set)
      return pool.leases.length > 0 || pool.quietUntilMs > this.#money.steadyMs
    })
  }

  #takeFull(): AttemptHold | undefined {
    return this.#take(this.#fullKind, this.#full)
  }

  #takeGrowing(): AttemptHold | undefined {
    const hold = this.#take('growing', Math.min(runAheadTokens, this.#full))
    if (hold !== undefined) for (const set of this.#hard) this.#wantFull(set)
    return hold
  }

  /** The next call should find its full bound. */
  #wantFull(set: BudgetSet): void {
    const { bound } = this.#input
    const pool = this.#money.poolOf(set)
    if (bound !== undefined) pool.noteWanted(amountAt(bound, set.unit, this.#full))
    pool.prefetch()
  }

  /** As much output as there is money for. */
  #takeClamped(): AttemptHold | undefined {
    const { bound, capLeft } = this.#input
    if (bound === undefined) return undefined
    let tokens = capLeft === undefined ? this.#full : Math.min(this.#full, outputFor(bound, 'usd', capLeft))
    for (const set of this.#hard) {
      tokens = Math.min(tokens, outputFor(bound, set.unit, this.#money.poolOf(set).free()))
    }
    return tokens < outputTokensMin * bound.answers ? undefined : this.#take('clamped', tokens)
  }

  /** All sets or none. */
  #take(kind: HoldKind, outputTokens: number): AttemptHold | undefined {
    const { bound, capLeft, owner } = this.#input
    if (bound === undefined) return undefined
    if (capLeft !== undefined && usdAt(bound, outputTokens) > capLeft) return undefined
    const amounts = this.#hard.map((set) => amountAt(bound, set.unit, outputTokens))
    const isThere = this.#hard.every((set, index) => this.#money.poolOf(set).free() >= (amounts[index] ?? 0n))
    if (!isThere) return undefined
    const holds: Hold[] = []
    for (const [index, set] of this.#hard.entries()) {
      const hold = this.#money.take(set, amounts[index] ?? 0n, owner)
      if (hold === undefined) throw new Error('a lease gave less than it had')
      holds.push(hold)
    }
    for (const set of this.#soft) holds.push(this.#takeLikely(set))
    const clampTo = kind === 'clamped' ? Math.floor(outputTokens / bound.answers) : undefined
    return this.#hold(kind, holds, { outputTokens, clampTo })
  }

  #takeLikely(set: BudgetSet): Hold {
    const { bound, owner } = this.#input
    const isPriced = bound !== undefined && (set.unit === 'tokens' || bound.inputPico !== undefined)
    const tokens = Math.min(bound?.outputTokens ?? likelyOutputTokens, likelyOutputTokens)
    return this.#money.takeUpTo(set, isPriced ? amountAt(bound, set.unit, tokens) / 4n : 0n, owner)
  }

  #expected(): AttemptHold {
    const holds = this.#soft.map((set) => this.#takeLikely(set))
    return this.#hold('expected', holds, { outputTokens: 0, clampTo: undefined })
  }

  #hold(
    kind: HoldKind,
    holds: readonly Hold[],
    { outputTokens, clampTo }: Pick<AttemptHoldState, 'outputTokens' | 'clampTo'>,
  ): AttemptHold {
    const { bound, capLeft, isVisible, priceDigest } = this.#input
    // Of a plain answer nothing is seen before it is whole.
    const stopsBilling = this.#input.stopsBilling && (this.#input.isStream || kind === 'growing')
    const wouldRefuse = shadowsOver(this.#money, this.#input, Math.min(this.#full, runAheadTokens))
    return new AttemptHold({
      kind,
      bound,
      holds,
      outputTokens,
      clampTo,
      capLeft,
      isVisible,
      stopsBilling,
      wouldRefuse,
      priceDigest,
    })
  }

  /** Asks the ledger for what is missing. */
  async wait(): Promise<AttemptHold> {
    const deadlineMs = this.#money.steadyMs + this.#money.times.grantMs
    if (!this.#isLimited) return await this.#waitForSoft(deadlineMs)
    if (this.#input.canGrow)
      return await this.#ask(() => this.#takeAny(), this.#least(runAheadTokens), deadlineMs)
    if (this.#isCapped()) return this.#takeClamped() ?? (await this.#clampAfterAsking(deadlineMs))
    try {
      return await this.#ask(() => this.#takeFull(), this.#full, deadlineMs)
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== 'budget_exhausted') throw error
      return await this.#clampAfterAsking(deadlineMs)
    }
  }

  /** The full bound is more than the budget has: asks for what there is, and limits the answer to it. */
  async #clampAfterAsking(deadlineMs: number): Promise<AttemptHold> {
    const { bound } = this.#input
    const least = this.#least(outputTokensMin)
    const { capLeft } = this.#input
    if (bound !== undefined && capLeft !== undefined && usdAt(bound, least) > capLeft) throw exhaustedCap()
    let taken: AttemptHold | undefined
    for (const set of this.#hard) {
      if (bound === undefined || this.#money.poolOf(set).free() >= amountAt(bound, set.unit, this.#full))
        continue
      const take = (): boolean => {
        taken ??= this.#takeClamped()
        return taken !== undefined
      }
      const need = amountAt(bound, set.unit, least)
      const wanted = { need, want: amountAt(bound, set.unit, this.#full), take }
      const answer = await this.#money.ask(set, wanted, deadlineMs - this.#money.steadyMs)
      taken ??= this.#takeClamped()
      if (taken === undefined && answer !== 'taken') this.#refuse(answer, set, need)
    }
    taken ??= this.#takeClamped()
    if (taken === undefined) throw exhaustedCap()
    return taken
  }

  #takeAny(): AttemptHold | undefined {
    return this.#takeFull() ?? this.#takeGrowing()
  }

  /** The decision's ceiling, not a budget, is what is too low for the full bound. */
  #isCapped(): boolean {
    const { bound, capLeft } = this.#input
    return bound !== undefined && capLeft !== undefined && usdAt(bound, this.#full) > capLeft
  }

  #least(tokens: number): number {
    return Math.min(this.#full, tokens * (this.#input.bound?.answers ?? 1))
  }

  /** Asks until `take` succeeds: `need` tokens of output must be there, all of the answer is wanted. */
  async #ask(take: () => AttemptHold | undefined, need: number, deadlineMs: number): Promise<AttemptHold> {
    const { bound, capLeft } = this.#input
    let taken = take()
    while (taken === undefined && bound !== undefined) {
      if (capLeft !== undefined && usdAt(bound, need) > capLeft) throw exhaustedCap()
      const short = this.#hard.find((set) => this.#money.poolOf(set).free() < amountAt(bound, set.unit, need))
      if (short === undefined) throw exhaustedCap()
      const least = amountAt(bound, short.unit, need)
      const answer = await this.#money.ask(
        short,
        {
          need: least,
          want: amountAt(bound, short.unit, this.#full),
          take: () => {
            taken ??= take()
            return taken !== undefined
          },
        },
        deadlineMs - this.#money.steadyMs,
      )
      if (taken === undefined && answer !== 'taken') this.#refuse(answer, short, least)
    }
    if (taken === undefined) throw exhaustedCap()
    return taken
  }

  #refuse(answer: Exclude<WaiterAnswer, 'taken'>, set: BudgetSet, need: bigint): never {
    this.#money.counts.refusals++
    if (answer === 'away') {
      const message = 'The budgets of this call could not be asked in time.'
      throw new Refusal('not_ready', { message, retryAfterS: 1 })
    }
    const { budgetId, available, resetsAtMs } = answer
    const { unit } = set
    const left = BigInt(available) + this.#money.poolOf(set).free()
    throw new Refusal('budget_exhausted', {
      message: budgetRefusal({ unit, left, need, resetsAtMs }),
      detail: `budget ${budgetId} has ${left} ${unit === 'usd' ? 'nano-dollars' : unit} left`,
    })
  }

  /** Calls under budgets that never refuse wait only so that what they spend can be booked. */
  async #waitForSoft(deadlineMs: number): Promise<AttemptHold> {
    for (const set of this.#soft) {
      const pool = this.#money.poolOf(set)
      if (pool.leases.length > 0) continue
      const { bound } = this.#input
      const isPriced = bound !== undefined && (set.unit === 'tokens' || bound.inputPico !== undefined)
      const want = isPriced ? amountAt(bound, set.unit, likelyOutputTokens) : 1n
      const take = (): boolean => pool.leases.length > 0
      const answer = await this.#money.ask(set, { need: 1n, want, take }, deadlineMs - this.#money.steadyMs)
      if (answer !== 'taken') pool.quietUntilMs = this.#money.steadyMs + quietMs
    }
    return this.#expected()
  }
}

function exhaustedCap(): Refusal {
  const message = "The call can cost more than the decision's ceiling."
  return new Refusal('budget_exhausted', { message, detail: 'caps.costNanoUsd' })
}
