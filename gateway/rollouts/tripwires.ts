import { join } from 'node:path'
import { type RolloutPart, Trip } from '@signalbox/sdk/contract'
import { fits, type Logger } from '@signalbox/sdk/node'
import { Type } from 'typebox'
import { loadIfThere, storeDurably } from '../documents/durable-file.ts'
import type { ReleasedRollout } from '../snapshot.ts'
import { FailureWindow } from './failure-window.ts'

const Stopped = Type.Object({ rollout: Type.String(), told: Type.Boolean(), trip: Trip })
interface StoppedRollout {
  readonly rollout: string
  /** The control plane knows. */
  told: boolean
  readonly trip: Trip
}
/** Candidates that stay stopped, and those whose calls are counted. */
const stoppedMax = 64
const watchedMax = 64
const examplesMax = 16

interface Watched {
  readonly window: FailureWindow
  readonly failedIds: string[]
}
export interface TripwiresOptions {
  /** Where it is kept what was stopped: a restart while the control plane is away must not start it again. */
  readonly file: string
  readonly clock: () => number
  readonly log: Logger
}

/**
 * Stops candidates whose policies fail, in this gateway and at once: no word of the control plane is needed. Calls that
 * run end as they began; the next ones are decided by stable.
 */
export class Tripwires {
  readonly #options: TripwiresOptions
  readonly #stopped = new Map<string, StoppedRollout>()
  readonly #watched = new Map<string, Watched>()
  #writing: Promise<void> = Promise.resolve()

  constructor(options: TripwiresOptions) {
    this.#options = options
  }

  /** Reads what an earlier run stopped. What cannot be read is as if nothing had been. */
  static async open(folder: string, options: Omit<TripwiresOptions, 'file'>): Promise<Tripwires> {
    const tripwires = new Tripwires({ ...options, file: join(folder, 'stopped.json') })
    await tripwires.#load()
    return tripwires
  }

  async #load(): Promise<void> {
    const { file, log } = this.#options
    try {
      const bytes = await loadIfThere(file)
      const value: unknown = bytes === undefined ? [] : JSON.parse(bytes.toString('utf8'))
      for (const each of Array.isArray(value) ? value : []) {
        if (fits(Stopped, each)) this.#stopped.set(each.rollout, each)
      }
    } catch (error) {
      log.warn({ err: error }, 'what candidates were stopped could not be read')
    }
  }

  readonly isStopped = (rollout: string): boolean => this.#stopped.has(rollout)

  /** What the control plane is still to be told, oldest first. */
  untold(): readonly Trip[] {
    return [...this.#stopped.values()].filter(({ told }) => !told).map(({ trip }) => trip)
  }

  /** The control plane has taken it. */
  noteTold(trip: Trip): void {
    for (const stopped of this.#stopped.values()) if (stopped.trip === trip) stopped.told = true
    this.#store()
  }

  /** Counts a call that policies decided; the one that is too many stops the candidate. */
  note(
    { rollout, part, environment }: { rollout: ReleasedRollout; part: RolloutPart; environment: string },
    call: { readonly id: string; readonly failure: string | undefined },
  ): void {
    const { tripwire, id } = rollout
    if (tripwire === null || this.#stopped.has(id)) return
    const watched = this.#watch(id, () => new FailureWindow(tripwire))
    const nowMs = this.#options.clock()
    const failed = call.failure !== undefined
    watched.window.note(part.arm, failed, nowMs)
    if (!failed || part.arm !== 'candidate') return
    watched.failedIds.push(call.id)
    if (watched.failedIds.length > examplesMax) watched.failedIds.shift()
    if (!watched.window.isBreached()) return
    const counted = watched.window.counted()
    this.#stop(id, {
      ...{ deployment: part.deployment, environment, candidate: rollout.candidate },
      ...{ calls: counted.calls.candidate, failed: counted.failed.candidate },
      windowMs: tripwire.windowMs,
      atMs: Math.floor(nowMs),
      records: [...watched.failedIds],
      message: (call.failure ?? '').slice(0, 1024).toWellFormed(),
    })
  }

  #watch(id: string, open: () => FailureWindow): Watched {
    const known = this.#watched.get(id)
    if (known !== undefined) return known
    const [oldest] = this.#watched.keys()
    if (this.#watched.size >= watchedMax && oldest !== undefined) this.#watched.delete(oldest)
    const watched = { window: open(), failedIds: [] }
    this.#watched.set(id, watched)
    return watched
  }

  #stop(rollout: string, trip: Trip): void {
    const [oldest] = this.#stopped.keys()
    if (this.#stopped.size >= stoppedMax && oldest !== undefined) this.#stopped.delete(oldest)
    this.#stopped.set(rollout, { rollout, told: false, trip })
    this.#watched.delete(rollout)
    this.#options.log.error({ rollout, trip }, 'the candidate is stopped here: its policies fail')
    this.#store()
  }

  #store(): void {
    const { file, log } = this.#options
    this.#writing = this.#writing
      .then(() => storeDurably(file, JSON.stringify([...this.#stopped.values()])))
      .catch((error: unknown) => log.error({ err: error }, 'a stopped candidate could not be noted on disk'))
  }

  /** Once all that was stopped is on disk. */
  async flush(): Promise<void> {
    await this.#writing
  }
}
