import { Failure } from './context.ts'
import type { LocalStart } from './local-start.ts'
import type { Output } from './output.ts'

/** Hears Ctrl-C and SIGTERM from now on; ask for it before anything is started. */
export function hearStop(): Promise<string> {
  return new Promise((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => resolve(name))
    // A program that started this one with a channel, such as a test, and is gone.
    process.once('disconnect', () => resolve('SIGHUP'))
  })
}

/** Waits for the stop or the end of a program, then drains both. A second signal ends this at once. */
export async function runUntilStopped(
  started: LocalStart,
  stop: Promise<string>,
  output: Output,
): Promise<void> {
  const reason = await Promise.race([stop, started.broken.then((name) => `the ${name} ended`)])
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => process.exit(1))
  const bySignal = reason.startsWith('SIG')
  output.note(bySignal ? '\nStopping: calls that run may finish. Ctrl-C again ends them.' : reason)
  const well = await started.stop()
  if (!bySignal) throw new Failure(reason)
  if (!well) throw new Failure('a program did not end well')
}
