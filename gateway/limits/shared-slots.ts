import type { RedisLink } from '../redis/redis-link.ts'
import { type CounterView, type LimitCounter, RunningCounter } from './window-counter.ts'

/** A slot of a gateway that died is free again after this. */
const slotMs = 30_000
const refreshMs = 10_000

/** Takes a slot where there is one: score is when it ends, by the server's own clock (one for all gateways). */
const takeScript = `
local time = redis.call('time')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('zremrangebyscore', KEYS[1], '-inf', now)
local used = redis.call('zcard', KEYS[1])
if used >= tonumber(ARGV[1]) then return {0, used} end
redis.call('zadd', KEYS[1], now + ARGV[3], ARGV[2])
redis.call('pexpire', KEYS[1], ARGV[3])
return {1, used + 1}`
const refreshScript = `
local time = redis.call('time')
local ends = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[1]
for at = 2, #ARGV do redis.call('zadd', KEYS[1], ends, ARGV[at]) end
redis.call('pexpire', KEYS[1], ARGV[1])
return #ARGV - 1`

/** Slots of calls that are under way, shared by gateways. */
export class SharedSlots {
  readonly link: RedisLink
  readonly #createId: () => string
  readonly #gateways: () => number
  readonly #held = new Map<string, Set<string>>()
  #timer: NodeJS.Timeout | undefined

  constructor(link: RedisLink, options: { createId: () => string; gateways: () => number }) {
    this.link = link
    this.#createId = options.createId
    this.#gateways = options.gateways
  }

  partOf(limit: number): number {
    return Math.ceil(limit / Math.max(1, this.#gateways()))
  }

  /** Takes a slot; undefined where nobody can be asked. */
  async take(name: string, limit: number): Promise<{ slot: string | undefined; used: number } | undefined> {
    const slot = this.#createId()
    const key = this.link.key('slots', name)
    const told = await this.link.ask(() =>
      this.link.client.eval(takeScript, 1, key, String(limit), slot, String(slotMs)),
    )
    if (!Array.isArray(told)) return undefined
    const [isTaken, used] = told.map(Number)
    if (isTaken !== 1) return { slot: undefined, used: used ?? limit }
    const held = this.#held.get(name) ?? new Set()
    this.#held.set(name, held.add(slot))
    this.#timer ??= setInterval(() => this.#refresh(), refreshMs).unref()
    return { slot, used: used ?? 0 }
  }

  give(name: string, slot: string): void {
    const held = this.#held.get(name)
    held?.delete(slot)
    if (held?.size === 0) this.#held.delete(name)
    const key = this.link.key('slots', name)
    this.link.ask(() => this.link.client.zrem(key, slot)).catch(() => {})
  }

  #refresh(): void {
    for (const [name, slots] of this.#held) {
      const key = this.link.key('slots', name)
      const question = () => this.link.client.eval(refreshScript, 1, key, String(slotMs), ...slots)
      this.link.ask(question).catch(() => {})
    }
  }

  close(): void {
    clearInterval(this.#timer)
    for (const [name, slots] of this.#held) for (const slot of slots) this.give(name, slot)
  }
}

/** What `take` gives for a slot of the server, and for one of this gateway alone. */
const fromServer = 1
const fromHere = 0

/** Calls that are under way at the same time, in all gateways. Without the server each has its part. */
export class SharedRunning implements LimitCounter {
  readonly #name: string
  readonly #shared: SharedSlots
  readonly #alone = new RunningCounter()
  /** Taken at the server for a call that is not let in yet. */
  readonly #ready: string[] = []
  readonly #running: string[] = []
  #usedByAll = 0

  constructor(name: string, shared: SharedSlots) {
    this.#name = name
    this.#shared = shared
  }

  fits(amount: number, limit: number): boolean {
    return this.#ready.length >= amount || this.#fitsAlone(amount, limit)
  }

  #fitsAlone(amount: number, limit: number): boolean {
    return !this.#shared.link.isUp && this.#alone.fits(amount, this.#shared.partOf(limit))
  }

  take(amount: number): number {
    const slot = this.#ready.pop()
    if (slot === undefined) {
      this.#alone.take(amount)
      return fromHere
    }
    this.#running.push(slot)
    return fromServer
  }

  correct(from: number, amount: number): void {
    if (from === fromHere) {
      this.#alone.correct(0, amount)
      return
    }
    const slot = this.#running.pop()
    if (slot !== undefined) this.#giveBack(slot)
  }

  /** A call for which a slot was taken is not let in after all. */
  drop(): void {
    const slot = this.#ready.pop()
    if (slot !== undefined) this.#giveBack(slot)
  }

  #giveBack(slot: string): void {
    this.#usedByAll = Math.max(0, this.#usedByAll - 1)
    this.#shared.give(this.#name, slot)
  }

  view(): CounterView {
    return {
      used: Math.max(this.#usedByAll, this.#running.length) + this.#alone.view().used,
      endMs: undefined,
    }
  }

  isIdle(): boolean {
    return this.#running.length + this.#ready.length === 0 && this.#alone.isIdle()
  }

  async more(_amount: number, limit: number): Promise<void> {
    const told = await this.#shared.take(this.#name, limit)
    if (told === undefined) return
    this.#usedByAll = told.used
    if (told.slot !== undefined) this.#ready.push(told.slot)
  }
}
