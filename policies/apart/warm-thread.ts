import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { ApartError, resourceLimits } from './run-apart.ts'
import type { Outcome, TaskName, Tasks } from './tasks.ts'

/** After so long without a task the thread ends; the next task starts another. */
const idleMs = 120_000
/** Tasks of one thread: whatever little each leaves in memory does not add up for ever. */
const runsMax = 64
/** A task that took longer than this took much of something: the next gets a thread that never saw it. */
const longMs = 10_000

/**
 * A thread that is kept between tasks, since starting one takes longer than most of them. One task at a time. Nothing
 * of a task is meant to stay in it; so that nothing of a hostile one can matter either, a thread whose task failed,
 * took long, or was the 64th is not used again.
 */
export class WarmThread {
  readonly #timeoutMs: number
  #worker: Worker | undefined
  #runs = 0
  #idle: ReturnType<typeof setTimeout> | undefined
  #last: Promise<unknown> = Promise.resolve()

  /** A task that takes longer than the given time fails; 30 s if left out. */
  constructor({ timeoutMs = 30_000 }: { readonly timeoutMs?: number } = {}) {
    this.#timeoutMs = timeoutMs
  }

  /** @throws ApartError where it takes too long or the thread ends; Error for what the task threw. */
  run<Name extends TaskName>(name: Name, input: Tasks[Name]['input']): Promise<Tasks[Name]['output']> {
    const work = this.#last.then(() => this.#run(name, input))
    this.#last = work.catch(() => undefined)
    return work
  }

  /** Ends the thread; a task that runs in it fails. */
  async close(): Promise<void> {
    clearTimeout(this.#idle)
    const worker = this.#worker
    this.#worker = undefined
    this.#runs = 0
    await worker?.terminate()
  }

  async #run<Name extends TaskName>(name: Name, input: Tasks[Name]['input']): Promise<Tasks[Name]['output']> {
    clearTimeout(this.#idle)
    const worker = this.#started(name)
    const ended = new AbortController()
    const stop = AbortSignal.any([AbortSignal.timeout(this.#timeoutMs), ended.signal])
    const onExit = (): void => ended.abort()
    worker.once('exit', onExit)
    worker.ref()
    try {
      const startMs = performance.now()
      worker.postMessage({ name, input })
      const [outcome]: Outcome<Name>[] = await once(worker, 'message', { signal: stop })
      if (outcome === undefined || 'failed' in outcome) throw new Error(outcome?.failed)
      this.#runs++
      if (this.#runs >= runsMax || performance.now() - startMs > longMs) await this.close()
      else this.#idle = setTimeout(() => void this.close(), idleMs).unref()
      return outcome.output
    } catch (cause) {
      // Closing it ends it too: what happened first counts.
      const [isEnded, isLate] = [ended.signal.aborted, stop.aborted]
      await this.close()
      if (isEnded) throw new ApartError('the thread ended without an answer', { cause })
      if (isLate) throw new ApartError(`"${name}" took longer than ${this.#timeoutMs / 1000} s`, { cause })
      throw cause
    } finally {
      worker.off('exit', onExit)
      worker.unref()
    }
  }

  #started(name: string): Worker {
    this.#worker ??= new Worker(new URL('./apart.worker.ts', import.meta.url), {
      workerData: null,
      name,
      resourceLimits,
    })
    return this.#worker
  }
}
