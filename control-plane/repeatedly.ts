import type { Logger } from '@signalbox/sdk/node'
import { describeFailure } from './db/errors.ts'

/**
 * Does something now and then, never twice at once; a failure is logged and tried again at the next time. Gives how to
 * stop, which waits for what runs.
 */
export function repeatedly(
  work: () => Promise<unknown>,
  options: { readonly everyMs: number; readonly log: Logger; readonly what: string },
): () => Promise<void> {
  let running: Promise<void> | undefined
  const timer = setInterval(() => {
    running ??= work()
      .then(
        () => undefined,
        (error: unknown) => options.log.warn({ err: describeFailure(error) }, options.what),
      )
      .finally(() => {
        running = undefined
      })
  }, options.everyMs)
  timer.unref()
  return async () => {
    clearInterval(timer)
    await running
  }
}
