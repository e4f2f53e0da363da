import type { LimitWindow } from './rate-limit-headers.ts'

/** What is left of a provider's limits at a target. Members that nobody told are missing. */
export interface Remaining {
  /** The tightest limit's share that is left, in parts per million. */
  readonly remainingPpm?: number
  readonly remainingRequests?: number
  readonly remainingTokens?: number
}

/** Shares are told in steps, and counts by their first two digits: facts that always change are always decided anew. */
const stepPpm = 10_000
/** More keys of a pool than this are not told apart. */
const keysMax = 64
const nothing: Remaining = {}

function rounded(count: number): number {
  const step = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, count))) - 1)
  return Math.floor(count / step) * step
}

function shareOf({ remaining, limit }: LimitWindow): number | undefined {
  if (remaining === 0) return 0
  if (limit === undefined || limit === 0) return undefined
  const ppm = Math.min(1_000_000, Math.floor((remaining / limit) * 1_000_000))
  return Math.max(1, Math.floor(ppm / stepPpm) * stepPpm)
}

function least(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? undefined : Math.min(...known)
}

function remainingOf(windows: readonly LimitWindow[]): Remaining {
  const countOf = (unit: LimitWindow['unit']): number | undefined => {
    const count = least(windows.map((each) => (each.unit === unit ? each.remaining : undefined)))
    return count === undefined ? undefined : rounded(count)
  }
  const [ppm, requests, tokens] = [least(windows.map(shareOf)), countOf('requests'), countOf('tokens')]
  return {
    ...(ppm !== undefined && { remainingPpm: ppm }),
    ...(requests !== undefined && { remainingRequests: requests }),
    ...(tokens !== undefined && { remainingTokens: tokens }),
  }
}

/** The better of two keys' rests. What one key does not tell is not known of both. */
function better(one: Remaining, other: Remaining): Remaining {
  const most = (name: keyof Remaining): Remaining => {
    const [a, b] = [one[name], other[name]]
    return a === undefined || b === undefined ? nothing : { [name]: Math.max(a, b) }
  }
  return { ...most('remainingPpm'), ...most('remainingRequests'), ...most('remainingTokens') }
}

/** What an answer said is left. */
export interface ToldLimits {
  /** Stands for the key that asked. */
  readonly key: string
  /** Keys that the connection takes turns with. */
  readonly keys: number
  readonly windows: readonly LimitWindow[]
}

/** What a provider last said is left of its limits, for each key. Forgotten when a limit is whole again. */
export class Quota {
  readonly #windows = new Map<string, readonly LimitWindow[]>()
  #keys = 1

  /** When the first of the limits is whole again; infinity where none is known. */
  endsAtMs = Number.POSITIVE_INFINITY

  /** Takes in what an answer to a key said; true where that changes what `remaining` gives. */
  note({ key, keys, windows }: ToldLimits, nowMs: number): boolean {
    const before = JSON.stringify(this.remaining)
    this.#keys = keys
    if (!this.#windows.has(key) && this.#windows.size >= keysMax) this.#windows.clear()
    this.#windows.set(key, windows)
    this.expire(nowMs)
    return JSON.stringify(this.remaining) !== before
  }

  /** Forgets limits that are whole again. */
  expire(nowMs: number): void {
    this.endsAtMs = Number.POSITIVE_INFINITY
    for (const [key, windows] of this.#windows) {
      const left = windows.filter(({ resetsAtMs }) => resetsAtMs > nowMs)
      if (left.length === 0) this.#windows.delete(key)
      else this.#windows.set(key, left)
      for (const { resetsAtMs } of left) this.endsAtMs = Math.min(this.endsAtMs, resetsAtMs)
    }
  }

  /** What is left for the best of so many keys; nothing is known while one of them was never told. */
  get remaining(): Remaining {
    if (this.#windows.size === 0 || this.#windows.size < this.#keys) return nothing
    return [...this.#windows.values()].map(remainingOf).reduce(better)
  }
}

/** Clock time until which nothing is left of some limit; undefined where something is. */
export function spentUntilMs(windows: readonly LimitWindow[]): number | undefined {
  const spent = windows.filter(({ remaining }) => remaining === 0)
  return spent.length === 0 ? undefined : Math.max(...spent.map(({ resetsAtMs }) => resetsAtMs))
}
