import { createHash } from 'node:crypto'

/** How a key of a pool does; `out` until it is tried again at `untilMs`. */
interface KeyState {
  readonly state: 'coolingDown' | 'spent' | 'refused'
  readonly untilMs: number
}
/** Keys of a pool by what they do now. */
export interface PoolHealth {
  readonly ready: number
  /** Rate limited (429), or nothing is left of its limits: back when the provider says so. */
  readonly coolingDown: number
  /** Not accepted (401, 402, 403): tried again from time to time, as accounts are mended. */
  readonly refused: number
}

/** Where a provider does not say how long to wait. */
const coolDownMs = 30_000
const coolDownMsMax = 600_000
/** A key that was not accepted is tried again after this time. */
const refusedMs = 900_000
const keysKeptMax = 4096
const refusals = new Set([401, 402, 403])

/** What a key is remembered by: a digest, so that no map of secrets lies about. */
export const keyOf = (connection: string, credential: string): string =>
  `${connection}\n${createHash('sha256').update(credential).digest('base64url')}`

/**
 * Which keys of a connection's pool are good now. Healthy ones take turns; one that was refused or rate limited is
 * left out for a time. A connection with one key is never without it. State of one gateway, in memory.
 */
export class KeyPools {
  readonly #states = new Map<string, KeyState>()
  readonly #turns = new Map<string, number>()

  /** The key to use now; the one that is out for the shortest time where none is healthy. */
  pick(connection: string, credentials: readonly string[], nowMs: number): string | undefined {
    if (credentials.length < 2) return credentials[0]
    const ready = credentials.filter((each) => this.#outUntil(connection, each, nowMs) === 0)
    if (ready.length === 0) {
      const until = (each: string): number => this.#outUntil(connection, each, nowMs)
      return [...credentials].sort((a, b) => until(a) - until(b))[0]
    }
    const turn = this.#turns.get(connection) ?? 0
    this.#turns.set(connection, (turn + 1) % 2 ** 30)
    return ready[turn % ready.length]
  }

  /** Notes what an answer says of its key. True where another key of the pool can take the call. */
  note(
    connection: string,
    credentials: readonly string[],
    used: { readonly credential: string; readonly status: number; readonly retryAfterS: number | undefined },
    nowMs: number,
  ): boolean {
    const isRefused = refusals.has(used.status)
    if (credentials.length < 2 || !(isRefused || used.status === 429)) return false
    const waitMs =
      used.retryAfterS === undefined ? coolDownMs : Math.min(used.retryAfterS * 1000, coolDownMsMax)
    if (this.#states.size >= keysKeptMax) this.#states.clear()
    this.#states.set(keyOf(connection, used.credential), {
      state: isRefused ? 'refused' : 'coolingDown',
      untilMs: nowMs + (isRefused ? refusedMs : waitMs),
    })
    return credentials.some((each) => this.#outUntil(connection, each, nowMs) === 0)
  }

  /** Nothing is left of a key's limits until then: the others take its calls. */
  spend(
    connection: string,
    credentials: readonly string[],
    spent: { readonly credential: string; readonly untilMs: number; readonly nowMs: number },
  ): void {
    if (credentials.length < 2) return
    const untilMs = Math.min(spent.untilMs, spent.nowMs + coolDownMsMax)
    if (this.#states.size >= keysKeptMax) this.#states.clear()
    this.#states.set(keyOf(connection, spent.credential), { state: 'spent', untilMs })
  }

  /** A key that was answered is good again, unless that was the last answer of its limits. */
  good(connection: string, credentials: readonly string[], credential: string | undefined): void {
    if (credentials.length < 2 || credential === undefined || this.#states.size === 0) return
    const key = keyOf(connection, credential)
    if (this.#states.get(key)?.state !== 'spent') this.#states.delete(key)
  }

  health(connection: string, credentials: readonly string[], nowMs: number): PoolHealth {
    const count = { ready: 0, coolingDown: 0, refused: 0 }
    for (const credential of credentials) {
      const known = this.#states.get(keyOf(connection, credential))
      const state = known === undefined || known.untilMs <= nowMs ? 'ready' : known.state
      count[state === 'spent' ? 'coolingDown' : state]++
    }
    return count
  }

  /** Clock time until which a key is out; 0 for a healthy one. */
  #outUntil(connection: string, credential: string, nowMs: number): number {
    const known = this.#states.get(keyOf(connection, credential))
    return known === undefined || known.untilMs <= nowMs ? 0 : known.untilMs
  }
}
