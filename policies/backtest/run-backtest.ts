import { Worker } from 'node:worker_threads'
import type { ReplayLibrary } from '../replay/deciders.ts'
import type { BacktestVersions } from './backtester.ts'
import { lineBatches } from './line-batches.ts'
import type { BacktestStart, FromThread, ToThread, Wanted } from './messages.ts'
import { addTally, emptyTally, type Tally } from './tally.ts'

export interface BacktestOptions extends BacktestVersions {
  /** NDJSON of records, in any pieces, oldest first. */
  readonly records: AsyncIterable<Uint8Array>
  readonly library: ReplayLibrary
  /** Records come from a file and are checked; false if left out. */
  readonly check?: boolean
  /** How many threads decide. */
  readonly threads: number
  /** Told after each batch how many records are done. */
  readonly onProgress?: (done: number) => void
}

/** Batches that wait in a thread, so that it never stands still and memory stays flat. */
const batchesPerThread = 2

function find(library: ReplayLibrary, wanted: Wanted) {
  if (wanted.kind === 'release') return library.release(wanted.reference)
  return wanted.kind === 'build' ? library.build(wanted.digest) : library.catalogue(wanted.digest)
}

class BacktestThread {
  readonly #worker: Worker
  readonly #library: ReplayLibrary
  readonly #onDone: (done: number) => void
  #waiting = 0
  #room = Promise.withResolvers<void>()
  readonly #tally = Promise.withResolvers<Tally>()

  constructor(start: BacktestStart, library: ReplayLibrary, onDone: (done: number) => void) {
    this.#library = library
    this.#onDone = onDone
    this.#worker = new Worker(new URL('./backtest.worker.ts', import.meta.url), {
      workerData: start,
      name: 'backtest',
    })
    const fail = (error: Error): void => {
      this.#tally.reject(error)
      this.#room.reject(error)
    }
    // Whoever waits for room or for the tally hears of it.
    this.#tally.promise.catch(() => undefined)
    this.#room.promise.catch(() => undefined)
    this.#worker.on('message', (message: FromThread) => void this.#hear(message, fail))
    this.#worker.on('error', fail)
    this.#worker.on('exit', () => fail(new Error('a thread of the backtest ended without its tally')))
  }

  async #hear(message: FromThread, fail: (error: Error) => void): Promise<void> {
    if ('failed' in message) fail(new Error(message.failed))
    else if ('tally' in message) this.#tally.resolve(message.tally)
    else if ('done' in message) {
      this.#waiting--
      this.#room.resolve()
      this.#onDone(message.done)
    } else {
      const answer = message.question
      try {
        this.#say({ answer, found: await find(this.#library, message.wanted) })
      } catch (error) {
        this.#say({ answer, failed: error instanceof Error ? error.message : String(error) })
      }
    }
  }

  #say(message: ToThread, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer)
  }

  get waiting(): number {
    return this.#waiting
  }

  /** Resolves when a batch is through. */
  get room(): Promise<void> {
    return this.#room.promise
  }

  take(batch: Buffer): void {
    this.#waiting++
    if (this.#waiting >= batchesPerThread) {
      this.#room = Promise.withResolvers<void>()
      this.#room.promise.catch(() => undefined)
    }
    const own = new Uint8Array(batch)
    this.#say({ batch: own }, [own.buffer])
  }

  async end(): Promise<Tally> {
    this.#say({ end: true })
    return await this.#tally.promise
  }

  async stop(): Promise<void> {
    await this.#worker.terminate()
  }
}

/** The thread with the least to do, once one has room. */
async function freeThread(threads: readonly BacktestThread[]): Promise<BacktestThread> {
  for (;;) {
    const [first, ...others] = threads
    if (first === undefined) throw new RangeError('a backtest needs a thread')
    const least = others.reduce((best, each) => (each.waiting < best.waiting ? each : best), first)
    if (least.waiting < batchesPerThread) return least
    await Promise.race(threads.map(({ room }) => room))
  }
}

/**
 * Decides records again in threads: with the versions of their time, and with a candidate where there is one. Memory
 * does not grow with their number. @throws Error where records cannot be read or a thread ends.
 */
export async function runBacktest(options: BacktestOptions): Promise<Tally> {
  const { records, library, threads: count, onProgress, candidate, baseline } = options
  const start: BacktestStart = {
    check: options.check === true,
    versions: { ...(candidate !== undefined && { candidate }), ...(baseline !== undefined && { baseline }) },
  }
  let done = 0
  const progress = (more: number): void => {
    done += more
    onProgress?.(done)
  }
  const threads = Array.from({ length: count }, () => new BacktestThread(start, library, progress))
  try {
    for await (const batch of lineBatches(records)) (await freeThread(threads)).take(batch)
    const tally = emptyTally()
    for (const each of await Promise.all(threads.map((thread) => thread.end()))) addTally(tally, each)
    return tally
  } finally {
    await Promise.all(threads.map((thread) => thread.stop()))
  }
}
