import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

/** A comment goes out this often, so that both sides and all between them see a dead connection. */
export const pingIntervalMs = 15_000
/** How long a client is told to wait before it connects again. */
const retryMs = 2000
/** The stream is opened after this, or with the first document; a source that fails before gets an error reply. */
const openDelayMs = 100

export interface EventStreamOptions {
  /** Name of each event. */
  readonly event: string
  /** Ends the stream. */
  readonly signal: AbortSignal
  /** Asked at every ping; false ends the stream (a revoked token). */
  readonly stillAllowed: () => Promise<boolean>
  /** Called with each document before it is sent; throws where it is not what the contract says. */
  readonly verify: (document: unknown) => void
}

/** Resolves when the response can take more, or the stream ends. */
async function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  try {
    await once(response, 'drain', { signal })
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

/** The next document, or undefined when the source or the signal ends. Leaves no listener behind. */
function nextDocument<T>(iterator: AsyncIterator<T>, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const onAbort = () => resolve(undefined)
    signal.addEventListener('abort', onAbort, { once: true })
    iterator
      .next()
      .then((next) => resolve(next.done === true ? undefined : next.value), reject)
      .finally(() => signal.removeEventListener('abort', onAbort))
  })
}

/** Sends documents until the source or the signal ends. `first` was asked for already. */
async function pump(
  response: ServerResponse,
  { first, iterator }: { readonly first: Promise<unknown>; readonly iterator: AsyncIterator<unknown> },
  { event, signal, verify }: Pick<EventStreamOptions, 'event' | 'signal' | 'verify'>,
): Promise<void> {
  let document = await first
  while (document !== undefined && !signal.aborted) {
    verify(document)
    const more = response.write(`event: ${event}\ndata: ${JSON.stringify(document)}\n\n`)
    if (!more) await drained(response, signal)
    document = await nextDocument(iterator, signal)
  }
}

/**
 * Sends documents as server-sent events until the source ends, the client goes, `signal` aborts or the caller is no
 * longer allowed. Waits for a slow client, so that a source is never read faster than the client takes it.
 * @throws what the source throws; the caller sees an error reply where nothing was sent yet, else a broken stream.
 */
export async function sendEvents(
  response: ServerResponse,
  source: AsyncIterable<unknown>,
  options: EventStreamOptions,
): Promise<void> {
  const revoked = new AbortController()
  const signal = AbortSignal.any([options.signal, revoked.signal])
  const iterator = source[Symbol.asyncIterator]()
  const first = nextDocument(iterator, signal)
  await Promise.race([first, sleep(openDelayMs, undefined, { ref: false })])
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'x-accel-buffering': 'no',
  })
  response.write(`retry: ${retryMs}\n\n`)
  const ping = setInterval(() => {
    if (!response.writableNeedDrain) response.write(': ping\n\n')
    options.stillAllowed().then(
      (allowed) => {
        if (!allowed) revoked.abort()
      },
      // Not known (the database is away) is no reason to cut a stream.
      () => undefined,
    )
  }, pingIntervalMs)
  try {
    await pump(response, { first, iterator }, { ...options, signal })
    response.end()
  } finally {
    clearInterval(ping)
    // Not awaited: a source that hangs in `next` never returns; it hears the signal as well.
    iterator.return?.().catch(() => undefined)
  }
}
