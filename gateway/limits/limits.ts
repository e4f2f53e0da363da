import { limitWindowMs, Refusal, type StateLimit } from '@signalbox/sdk/contract'
import type { WireFormat } from '../call.ts'
import type { Snapshot } from '../snapshot.ts'
import { type LimitedCall, type LimitUse, limitsOf, usesOf } from './call-limits.ts'
import { limitHeaders } from './limit-headers.ts'
import { refusalOf } from './limit-refusal.ts'
import { SharedRunning, type SharedSlots } from './shared-slots.ts'
import { SharedWindow, type SharedWindows } from './shared-window.ts'
import { type CounterView, type LimitCounter, RunningCounter, WindowCounter } from './window-counter.ts'

export interface LimitsOptions {
  readonly clock: () => number
  /** Where gateways share what they count; all is counted here where left out. */
  readonly shared?: { readonly windows: SharedWindows; readonly slots: SharedSlots }
}
/** What a call keeps of its limits until it is over. */
export interface Admission {
  /** Of the answer, whatever it will be. */
  readonly headers: readonly string[]
  /** Shadow limits that would have refused. */
  readonly wouldRefuse: readonly string[]
  /** A turn of a session used so many tokens, beside what `end` is told. */
  use(tokens: number): void
  /** The call is over and used so many tokens. Only the first word counts. */
  end(usedTokens: number): void
}
/** A limit as the holder of a key may see it. */
export interface LimitView {
  readonly limit: StateLimit
  /** Undefined where it depends on the call. */
  readonly view: CounterView | undefined
}

/** A refusal by a limit, with what the caller is told of it. */
export class LimitRefusal extends Refusal {
  readonly limitId: string
  readonly headers: readonly string[]

  constructor(refusal: Refusal, limitId: string, headers: readonly string[]) {
    const { message, retryAfterS = 1, detail } = refusal
    super(refusal.code, { message, retryAfterS, ...(detail !== undefined && { detail }) })
    this.limitId = limitId
    this.headers = headers
  }
}

/** So many counters are kept; beyond that idle ones go first, then the oldest. */
const countersMax = 100_000

interface Counted extends LimitUse {
  readonly count: LimitCounter
}

/**
 * Admission by rate: requests and tokens in a window of time, and calls at the same time. Tokens are taken by an
 * estimate and corrected when the call is over. Without a shared server nothing here waits.
 */
export class Limits {
  readonly counts = { refused: { requests: 0, tokens: 0, concurrency: 0 }, wouldRefuse: 0 }
  readonly #options: LimitsOptions
  readonly #counters = new Map<string, LimitCounter>()

  constructor(options: LimitsOptions) {
    this.#options = options
  }

  /** Counters that are kept. */
  get size(): number {
    return this.#counters.size
  }

  /**
   * Lets a call in; undefined where no limit concerns it.
   * @throws Refusal `rate_limited` or `concurrency_limited`.
   */
  admit(
    snapshot: Snapshot,
    key: { readonly id: string; readonly node: string },
    call: () => LimitedCall,
    format: WireFormat,
  ): Admission | undefined | Promise<Admission | undefined> {
    const limits = limitsOf(snapshot, key)
    if (limits.length === 0) return undefined
    const uses = usesOf(limits, call()).map((use) => ({ ...use, count: this.#counterOf(use) }))
    if (uses.length === 0) return undefined
    const waits = this.#options.shared === undefined ? [] : this.#waits(uses)
    if (waits.length === 0) return this.#decide(uses, snapshot, format)
    return Promise.all(waits).then(() => this.#decide(uses, snapshot, format))
  }

  /** How far the limits of a key are used up. */
  viewsOf(snapshot: Snapshot, key: { readonly id: string; readonly node: string }): LimitView[] {
    const nowMs = this.#options.clock()
    return limitsOf(snapshot, key).map((limit): LimitView => {
      const isOne = limit.per === undefined || limit.per === 'key'
      const counter = limit.per === 'key' ? `${limit.id} ${key.id}` : limit.id
      const view = this.#counters.get(counter)?.view(limit.limit, nowMs) ?? { used: 0, endMs: undefined }
      return { limit, view: isOne ? view : undefined }
    })
  }

  #waits(uses: readonly Counted[]): Promise<void>[] {
    const nowMs = this.#options.clock()
    return uses.flatMap(({ count, amount, limit }) =>
      count.more === undefined || count.fits(amount, limit.limit, nowMs)
        ? []
        : [count.more(amount, limit.limit)],
    )
  }

  #decide(uses: readonly Counted[], snapshot: Snapshot, format: WireFormat): Admission {
    const nowMs = this.#options.clock()
    const full = uses.filter(({ count, amount, limit }) => !count.fits(amount, limit.limit, nowMs))
    const refusing = full.filter(({ limit }) => limit.mode === 'hard')
    const [first] = refusing
    if (first !== undefined) {
      for (const { count } of uses) if (count instanceof SharedRunning) count.drop()
      this.counts.refused[first.limit.unit]++
      const refused = refusing.map((use) => ({ use, waitMs: this.#waitMs(use, nowMs) }))
      const refusal = refusalOf(refused, snapshot)
      throw new LimitRefusal(refusal, first.limit.id, this.#headersOf(uses, format, nowMs))
    }
    this.counts.wouldRefuse += full.length
    const taken = uses.map((use) => ({ use, window: use.count.take(use.amount, use.limit.limit, nowMs) }))
    let isOver = false
    return {
      headers: this.#headersOf(uses, format, nowMs),
      wouldRefuse: full.map(({ limit }) => limit.id),
      use: (tokens) => {
        const usedMs = this.#options.clock()
        for (const { use } of taken) {
          const { unit, limit } = use.limit
          if (unit === 'tokens' && tokens > 0) use.count.take(tokens, limit, usedMs)
        }
      },
      end: (usedTokens) => {
        if (isOver) return
        isOver = true
        const endMs = this.#options.clock()
        for (const { use, window } of taken) {
          const { unit } = use.limit
          if (unit === 'concurrency') use.count.correct(window, -use.amount, endMs)
          else if (unit === 'tokens') use.count.correct(window, usedTokens - use.amount, endMs)
        }
      },
    }
  }

  /** Until it is worth to try again. */
  #waitMs({ limit, count }: Counted, nowMs: number): number {
    if (limit.window === undefined) return 1000
    const { endMs } = count.view(limit.limit, nowMs)
    return endMs === undefined ? limitWindowMs[limit.window] : endMs - nowMs
  }

  #headersOf(uses: readonly Counted[], format: WireFormat, nowMs: number): string[] {
    const shown = uses
      .filter(({ limit }) => limit.mode === 'hard')
      .map(({ limit, count }) => {
        const { used, endMs } = count.view(limit.limit, nowMs)
        const resetMs = endMs === undefined ? 0 : endMs - nowMs
        return { limit, remaining: Math.max(0, limit.limit - used), resetMs }
      })
    return limitHeaders(format, shown, nowMs)
  }

  #counterOf({ counter, limit }: LimitUse): LimitCounter {
    const known = this.#counters.get(counter)
    if (known !== undefined) return known
    if (this.#counters.size >= countersMax) this.#makeRoom()
    const created = this.#create(counter, limit)
    this.#counters.set(counter, created)
    return created
  }

  #create(name: string, { window }: StateLimit): LimitCounter {
    const { shared, clock } = this.#options
    if (window === undefined)
      return shared === undefined ? new RunningCounter() : new SharedRunning(name, shared.slots)
    const lengthMs = limitWindowMs[window]
    return shared === undefined
      ? new WindowCounter(lengthMs)
      : new SharedWindow(name, lengthMs, shared.windows, clock)
  }

  #makeRoom(): void {
    const nowMs = this.#options.clock()
    for (const [name, counter] of this.#counters) if (counter.isIdle(nowMs)) this.#counters.delete(name)
    for (const name of this.#counters.keys()) {
      if (this.#counters.size < countersMax * 0.9) return
      this.#counters.delete(name)
    }
  }
}
