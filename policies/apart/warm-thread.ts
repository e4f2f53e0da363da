import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { ApartError, resourceLimits } from './run-apart.ts'
import type { Outcome, TaskName, Tasks } from './tasks.ts'

const timeoutMs = 30_000
/** After so long without a task the thread ends; the next task starts another. */
const idleMs = 120_000

/** A thread that is kept between tasks, since starting one takes longer than most of them. One task at a time. */
export class WarmThread {
  #worker: Worker | undefined
  #idle: ReturnType<typeof setTimeout> | undefined
  #last: Promise<unknown> = Promise.resolve()

  /** @throws ApartError where it takes longer than 30 s or the thread ends; Error for what the task threw. */
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
    await worker?.terminate()
  }

  async #run<Name extends TaskName>(name: Name, input: Tasks[Name]['input']): Promise<Tasks[Name]['output']> {
    clearTimeout(this.#idle)
    const worker = this.#started(name)
    const ended = new AbortController()
    const stop = AbortSignal.any([AbortSignal.timeout(timeoutMs), ended.signal])
    const onExit = (): void => ended.abort()
    worker.once('exit', onExit)
    worker.ref()
    try {
      worker.postMessage({ name, input })
      const [outcome]: Outcome<Name>[] = await once(worker, 'message', { signal: stop })
      if (outcome === undefined || 'failed' in outcome) throw new Error(outcome?.failed)
      this.#idle = setTimeout(() => void this.close(), idleMs).unref()
      return outcome.output
    } catch (cause) {
      await this.close()
      if (ended.signal.aborted) throw new ApartError('the thread ended without an answer', { cause })
      if (stop.aborted) throw new ApartError(`"${name}" took longer than ${timeoutMs / 1000} s`, { cause })
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
