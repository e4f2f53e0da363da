import type { Attempt } from '@signalbox/sdk/contract'
import type { PlannedTarget } from '../steps/select.ts'
import { serving } from '../targets.ts'
import type { Exchange } from '../upstream/exchange.ts'
import type { AttemptFailure } from '../upstream/judge-failure.ts'
import { checkWanted, type Way } from '../way.ts'
import { abandonTry, isFailure, type OpenTry, openTry, relayTry } from './open-try.ts'

/** What a stream begins with once there is something in it. Comments, which keep a connection open, are not it. */
const eventStart = Buffer.from('data:')

/** Whether an attempt can be judged: its answer begins, or it has failed. */
function isDecided(exchange: Exchange, isStream: boolean): boolean {
  if (exchange.isSettled || exchange.status >= 300) return true
  if (!isStream) return false
  if (exchange.headers['content-type']?.includes('event-stream') !== true) return exchange.waiting.length > 0
  return exchange.waiting.some((chunk) => chunk.includes(eventStart))
}

/** What the legs beside the first may cost together still. */
class Purse {
  #leftNanoUsd: number | undefined
  constructor(limitNanoUsd: number | undefined) {
    this.#leftNanoUsd = limitNanoUsd
  }

  /** Whether a leg may start beside another. One whose cost nobody knows may not, where there is a limit. */
  pays(costNanoUsd: number | undefined): boolean {
    if (this.#leftNanoUsd === undefined) return true
    if (costNanoUsd === undefined || costNanoUsd > this.#leftNanoUsd) return false
    this.#leftNanoUsd -= costNanoUsd
    return true
  }
}

/**
 * Starts targets one after the other, each beside those before it once they have taken too long, and relays the first
 * answer that begins. Every leg keeps its own hold. What is slower is given up as soon as an answer goes to the caller.
 */
class RaceRun {
  readonly #legs: readonly PlannedTarget[]
  readonly #way: Way
  readonly #cause: Attempt['cause']
  readonly #running = new Set<OpenTry>()
  readonly #purse: Purse
  #next = 0
  #failure: AttemptFailure | undefined
  #wake: () => void = () => {}
  #timer: NodeJS.Timeout | undefined
  #isDue = true

  constructor(legs: readonly PlannedTarget[], way: Way, cause: Attempt['cause']) {
    this.#legs = legs
    this.#cause = cause
    this.#purse = new Purse(legs[0]?.race?.extraCostNanoUsd)
    this.#way = { ...way, onCommit: () => this.#commit(way) }
  }

  async run(): Promise<AttemptFailure | undefined> {
    try {
      for (;;) {
        checkWanted(this.#way)
        if (this.#isDue || this.#running.size === 0) await this.#start()
        const decided = this.#decided()
        if (decided === undefined) {
          if (this.#running.size === 0 && this.#next >= this.#legs.length) return this.#failure
          if (this.#running.size > 0 && !this.#isDue) await this.#wait()
          continue
        }
        this.#running.delete(decided)
        const failure = await relayTry(decided, this.#way)
        if (failure === undefined) return undefined
        this.#failure = { ...failure, from: decided.open.trail }
        this.#isDue = true
      }
    } finally {
      clearTimeout(this.#timer)
      this.#abandon()
    }
  }

  /** Starts the next leg, if there is one and it may. */
  async #start(): Promise<void> {
    this.#isDue = false
    const planned = this.#legs[this.#next]
    if (planned === undefined) return
    const isBeside = this.#running.size > 0
    if (isBeside && !this.#purse.pays(planned.costNanoUsd)) return
    this.#next++
    const { keyPools, clock } = this.#way.parts
    const spoken = serving(planned.target, this.#way.allowed.call)
    const { connection } = spoken
    const credential = keyPools.pick(connection.name, connection.pool ?? [], clock()) ?? connection.credential
    const target = { ...spoken, connection: { ...connection, credential } }
    const opening = openTry({ planned, target, cause: isBeside ? 'hedge' : this.#cause }, this.#way)
    const opened = opening instanceof Promise ? await opening : opening
    if (isFailure(opened)) {
      this.#failure = { ...opened, from: this.#way.trail.attempts.at(-1) }
      this.#isDue = true
      return
    }
    opened.open.exchange.onWaiting = () => this.#wake()
    this.#running.add(opened)
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#isDue = true
      this.#wake()
    }, planned.race?.afterMs ?? 0)
  }

  #decided(): OpenTry | undefined {
    const { stream } = this.#way.allowed.call
    for (const tried of this.#running) if (isDecided(tried.open.exchange, stream)) return tried
    return undefined
  }

  #wait(): Promise<void> {
    const { writer } = this.#way.incoming
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = () => {}
        writer.onStop = undefined
        resolve()
      }
      writer.onStop = () => this.#wake()
    })
  }

  #commit(way: Way): void {
    clearTimeout(this.#timer)
    this.#abandon()
    way.onCommit?.()
  }

  #abandon(): void {
    for (const tried of this.#running) abandonTry(tried, this.#way)
    this.#running.clear()
  }
}

/** Races the legs; gives the last failure where none of them has an answer. */
export function tryRace(
  legs: readonly PlannedTarget[],
  way: Way,
  cause: Attempt['cause'],
): Promise<AttemptFailure | undefined> {
  return new RaceRun(legs, way, cause).run()
}
