import { Refusal } from '@signalbox/sdk/contract'

/** Runs items of a key together: what comes while a batch runs makes the next one. */
export type Batches<Item, Result> = (key: string, item: Item) => Promise<Result>

interface Waiting<Item, Result> {
  readonly item: Item
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

/**
 * Collects items so that many who wait for the same rows take them in one transaction instead of one after the other.
 * One batch per key at a time. Where a batch fails each of its items is tried alone, so that one bad item spoils no
 * other's.
 * @param options.itemsMax in one batch. @param options.waitingMax per key; more are refused.
 * @throws (the function given) Refusal `not_ready` where too many wait already.
 */
export function createBatches<Item, Result>(
  run: (items: readonly Item[]) => Promise<readonly Result[]>,
  options: { readonly itemsMax: number; readonly waitingMax: number },
): Batches<Item, Result> {
  const queues = new Map<string, Waiting<Item, Result>[]>()

  async function runAlone({ item, resolve, reject }: Waiting<Item, Result>): Promise<void> {
    try {
      const [result] = await run([item])
      resolve(result as Result)
    } catch (error) {
      reject(error)
    }
  }
  async function runBatch(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    const [only] = batch
    if (batch.length === 1 && only !== undefined) return runAlone(only)
    try {
      const results = await run(batch.map(({ item }) => item))
      batch.forEach(({ resolve }, index) => {
        resolve(results[index] as Result)
      })
    } catch {
      for (const each of batch) await runAlone(each)
    }
  }
  async function drain(key: string, queue: Waiting<Item, Result>[]): Promise<void> {
    while (queue.length > 0) await runBatch(queue.splice(0, options.itemsMax))
    queues.delete(key)
  }

  return (key, item) => {
    const { promise, resolve, reject } = Promise.withResolvers<Result>()
    const queue = queues.get(key)
    if (queue === undefined) {
      const first = [{ item, resolve, reject }]
      queues.set(key, first)
      // Its only await is on batches, whose failures go to those who wait for them.
      void drain(key, first)
    } else if (queue.length >= options.waitingMax) {
      reject(new Refusal('not_ready', { message: 'Too many requests wait for the ledger.', retryAfterS: 1 }))
    } else {
      queue.push({ item, resolve, reject })
    }
    return promise
  }
}
