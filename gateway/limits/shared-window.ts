import { RateLimiterRedis } from 'rate-limiter-flexible'
import type { RedisLink } from '../redis/redis-link.ts'
import { type CounterView, type LimitCounter, WindowCounter } from './window-counter.ts'

/** Windows that gateways share: what a gateway uses of them it fetches first, some at a time. */
export class SharedWindows {
  readonly link: RedisLink
  readonly #limiter: RateLimiterRedis
  readonly #gateways: () => number

  /** `gateways`: how many share a limit, for the time that the server is away. */
  constructor(link: RedisLink, gateways: () => number) {
    this.link = link
    this.#gateways = gateways
    this.#limiter = new RateLimiterRedis({
      storeClient: link.client,
      // The limit is compared here, where a part of what was asked for can be taken.
      points: Number.MAX_SAFE_INTEGER,
      duration: 60,
      keyPrefix: '',
      rejectIfRedisNotReady: true,
    })
  }

  /** Adds to a shared window, which begins where there is none; gives what was used before, and its end. */
  async add(
    name: string,
    amount: number,
    lengthMs: number,
  ): Promise<{ before: number; endsInMs: number } | undefined> {
    const options = { customDuration: lengthMs / 1000 }
    const told = await this.link.ask(() =>
      this.#limiter.consume(this.link.key('limit', name), amount, options),
    )
    return told && { before: told.consumedPoints - amount, endsInMs: told.msBeforeNext }
  }

  /** What is this gateway's part while nobody can be asked. */
  partOf(limit: number): number {
    return Math.ceil(limit / Math.max(1, this.#gateways()))
  }
}

/** At most this share of a limit is fetched before it is needed. */
const batchShare = 100
/** An exhausted window is looked at again: others may have given something back. */
const lookAgainMs = 250
const triesMax = 3

/**
 * A gateway's part of a shared window: fetched from the server, used here. Never more than the limit is handed out to
 * all gateways together; what a gateway has fetched and not used is at most a hundredth of it. While the server is
 * away, the limit divided by the number of gateways holds here; what was used then is told when it is back.
 */
export class SharedWindow implements LimitCounter {
  readonly #name: string
  readonly #lengthMs: number
  readonly #shared: SharedWindows
  readonly #clock: () => number
  readonly #alone: WindowCounter
  /** Used while the server was away, and told to nobody yet; of the window that ends then. */
  #untold = 0
  #untoldEndMs = 0
  /** Fetched and not used; below zero where more was used than was known before. */
  #inHand = 0
  #usedByAll = 0
  #endMs = 0
  #window = 0
  #waiting = 0
  #emptyUntilMs = 0
  #fetching: Promise<void> | undefined

  constructor(name: string, lengthMs: number, shared: SharedWindows, clock: () => number) {
    this.#name = name
    this.#lengthMs = lengthMs
    this.#shared = shared
    this.#clock = clock
    this.#alone = new WindowCounter(lengthMs)
  }

  fits(amount: number, limit: number, nowMs: number): boolean {
    if (!this.#shared.link.isUp) return this.#alone.fits(amount, this.#shared.partOf(limit), nowMs)
    return nowMs < this.#endMs && this.#inHand >= amount
  }

  take(amount: number, limit: number, nowMs: number): number {
    // What was used here counts for this gateway's part, should the server go away.
    const alone = this.#alone.take(amount, limit, nowMs)
    if (!this.#shared.link.isUp) {
      if (nowMs >= this.#untoldEndMs) this.#untold = 0
      this.#untold += amount
      this.#untoldEndMs = this.#alone.view(limit, nowMs).endMs ?? nowMs
      return -alone
    }
    this.#inHand -= amount
    // The next call should not have to wait.
    if (this.#inHand <= 0) this.#fetch(limit).catch(() => {})
    return this.#window
  }

  correct(window: number, amount: number, nowMs: number): void {
    if (window < 0) {
      this.#alone.correct(-window, amount, nowMs)
      if (-window === this.#alone.window) this.#untold = Math.max(0, this.#untold + amount)
      return
    }
    this.#alone.correct(this.#alone.window, amount, nowMs)
    if (window !== this.#window || nowMs >= this.#endMs) return
    this.#inHand -= amount
    // What this gateway does not need itself is for others.
    const surplus = this.#inHand - this.#lastBatch
    if (surplus > this.#lastBatch) this.#give(surplus)
    else if (this.#inHand < 0) this.#fetch(this.#lastLimit).catch(() => {})
  }

  view(limit: number, nowMs: number): CounterView {
    if (!this.#shared.link.isUp) {
      const { used, endMs } = this.#alone.view(limit, nowMs)
      return { used: Math.min(limit, limit - this.#shared.partOf(limit) + used), endMs }
    }
    if (nowMs >= this.#endMs) return { used: 0, endMs: undefined }
    return { used: Math.min(limit, this.#usedByAll - Math.max(0, this.#inHand)), endMs: this.#endMs }
  }

  isIdle(nowMs: number): boolean {
    return nowMs >= this.#endMs && this.#alone.isIdle(nowMs)
  }

  /** Waits until so many are in hand, or there are no more. */
  async more(amount: number, limit: number): Promise<void> {
    this.#waiting += amount
    try {
      for (let tries = 0; tries < triesMax; tries++) {
        const nowMs = this.#clock()
        if (!this.#shared.link.isUp || this.fits(amount, limit, nowMs)) return
        if (nowMs < this.#emptyUntilMs) return
        await this.#fetch(limit)
      }
    } finally {
      this.#waiting -= amount
    }
  }

  #lastLimit = 0
  get #lastBatch(): number {
    return Math.max(1, Math.floor(this.#lastLimit / batchShare))
  }

  #fetch(limit: number): Promise<void> {
    this.#lastLimit = limit
    this.#fetching ??= this.#fetchNow(limit).finally(() => {
      this.#fetching = undefined
    })
    return this.#fetching
  }

  async #fetchNow(limit: number): Promise<void> {
    const untold = this.#clock() < this.#untoldEndMs ? this.#untold : 0
    const inHand = (this.#clock() < this.#endMs ? this.#inHand : 0) - untold
    const wanted = this.#waiting - inHand + this.#lastBatch
    if (wanted <= 0 || limit === 0) return
    const told = await this.#shared.add(this.#name, wanted, this.#lengthMs)
    if (told === undefined) return
    const nowMs = this.#clock()
    if (nowMs >= this.#endMs || told.before === 0) {
      this.#window++
      this.#inHand = 0
    }
    this.#inHand -= untold
    this.#untold = Math.max(0, this.#untold - untold)
    this.#endMs = nowMs + told.endsInMs
    // A debt is used already, whatever the limit says.
    const debt = Math.max(0, -this.#inHand)
    const granted = Math.max(debt, Math.min(wanted, limit - told.before))
    this.#inHand += granted
    this.#usedByAll = told.before + granted
    if (granted < wanted) {
      this.#emptyUntilMs = nowMs + Math.min(lookAgainMs, told.endsInMs)
      this.#add(granted - wanted)
    }
  }

  #give(amount: number): void {
    this.#inHand -= amount
    this.#usedByAll -= amount
    this.#add(-amount)
  }

  #add(amount: number): void {
    this.#shared.add(this.#name, amount, this.#lengthMs).catch(() => {})
  }
}
