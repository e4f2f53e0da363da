import { Refusal } from '@signalbox/sdk/contract'

/** Lets a few tasks run at a time and a few more wait; what comes beyond is refused at once. */
export type Gate = <T>(task: () => Promise<T>) => Promise<T>

/** @throws (the gate) Refusal `not_ready` with `Retry-After` where too many wait already. */
export function createGate(limits: { readonly runningMax: number; readonly waitingMax: number }): Gate {
  let running = 0
  const waiting: (() => void)[] = []
  return async (task) => {
    if (running >= limits.runningMax) {
      if (waiting.length >= limits.waitingMax) {
        throw new Refusal('not_ready', {
          message: 'Too many requests of this kind wait already.',
          retryAfterS: 1,
        })
      }
      // Whoever leaves hands its place on, so `running` stays as it is.
      await new Promise<void>((resolve) => waiting.push(resolve))
    } else {
      running++
    }
    try {
      return await task()
    } finally {
      const next = waiting.shift()
      if (next === undefined) running--
      else next()
    }
  }
}
