import { setTimeout as wait } from 'node:timers/promises'

/** Tries a check until it passes, or gives its last failure after `timeoutMs`. */
export async function eventually<T>(check: () => T | Promise<T>, timeoutMs = 5000): Promise<T> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (performance.now() > deadline) throw error
      await wait(10)
    }
  }
}
