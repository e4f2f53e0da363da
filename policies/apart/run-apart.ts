import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Outcome, TaskName, Tasks } from './tasks.ts'

/** Longer than the slowest honest workspace takes; a hostile one is stopped here. */
export const taskMs = 120_000
/** Of every thread that builds. */
export const resourceLimits = { maxOldGenerationSizeMb: 1024 }

/** A task that was stopped, or whose thread ended without an answer. */
export class ApartError extends Error {
  override readonly name = 'ApartError'
}

/**
 * Runs a task in a thread of its own, so that this one goes on answering whatever the task is given.
 * @throws ApartError where it takes longer than two minutes or more than 1 GiB; Error for what the task threw.
 */
export async function runApart<Name extends TaskName>(
  name: Name,
  input: Tasks[Name]['input'],
): Promise<Tasks[Name]['output']> {
  const worker = new Worker(new URL('./apart.worker.ts', import.meta.url), {
    workerData: { name, input },
    name,
    resourceLimits,
  })
  const stop = new AbortController()
  const timer = setTimeout(() => stop.abort(), taskMs)
  try {
    const [outcome]: Outcome<Name>[] = await Promise.race([
      once(worker, 'message', { signal: stop.signal }),
      once(worker, 'exit').then(() => {
        throw new ApartError(`the thread for "${name}" ended without an answer`)
      }),
    ])
    if (outcome === undefined || 'failed' in outcome) throw new Error(outcome?.failed)
    return outcome.output
  } catch (cause) {
    if (!stop.signal.aborted) throw cause
    throw new ApartError(`"${name}" took longer than ${taskMs / 1000} s`, { cause })
  } finally {
    clearTimeout(timer)
    await worker.terminate()
  }
}
