import { setTimeout as sleep } from 'node:timers/promises'
import type { DocumentKind } from '@signalbox/sdk/contract'
import type { Logger } from '@signalbox/sdk/node'
import { sql } from 'drizzle-orm'
import { Client } from 'pg'
import type { Queryable } from './connect.ts'

/** Something changed that others wait for. Carries names only, never content; missing one is harmless. */
export type Change =
  | {
      readonly type: 'document'
      readonly organisationId: string
      readonly environment: string
      readonly kind: DocumentKind
      readonly sequence: number
    }
  | { readonly type: 'ack'; readonly organisationId: string; readonly environment: string }
  | {
      readonly type: 'records'
      readonly organisationId: string
      readonly segment: string
      readonly fromMs: number
      readonly toMs: number
    }
/** Changes may have been missed: whoever waits looks for himself. */
export type ChangeEvent = Change | { readonly type: 'resync' }

/**
 * Tells the waiting requests of all control planes on one database of changes: those of this process at once, the
 * others by NOTIFY.
 */
export interface ChangeFeed {
  /** Joins the transaction: the other control planes hear of it when it commits. */
  announce(q: Queryable, change: Change): Promise<void>
  /** Tells this process; call it after the commit. */
  emit(change: Change): void
  /** @returns How to stop. */
  subscribe(listener: (event: ChangeEvent) => void): () => void
  close(): Promise<void>
}

const channel = 'signalbox_change'
const reconnectDelayMs = { first: 100, max: 5000 } as const
/** A connection that died without a word is noticed after this long. */
const probeIntervalMs = 15_000
const probeTimeoutMs = 5000
/** Saying goodbye to a database that is gone may take for ever. */
const endTimeoutMs = 1000

interface Wire {
  readonly origin: string
  readonly change: Change
}

/** Opens the listening connection; it is opened again, with growing delays, whenever it is lost. */
export async function createChangeFeed(options: {
  readonly url: string
  /** Distinguishes this process from the others on the database. */
  readonly origin: string
  readonly log: Logger
}): Promise<ChangeFeed> {
  const listeners = new Set<(event: ChangeEvent) => void>()
  const deliver = (event: ChangeEvent): void => {
    for (const listener of [...listeners]) listener(event)
  }
  const stopListening = await keepListening(
    options,
    (text) => {
      const wire = JSON.parse(text) as Wire
      if (wire.origin !== options.origin) deliver(wire.change)
    },
    () => deliver({ type: 'resync' }),
  )
  return {
    async announce(q, change) {
      const wire: Wire = { origin: options.origin, change }
      await q.execute(sql`select pg_notify(${channel}, ${JSON.stringify(wire)})`)
    },
    emit: deliver,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close: stopListening,
  }
}

async function connectListener(url: string, onText: (text: string) => void): Promise<Client> {
  const client = new Client({
    connectionString: url,
    keepAlive: true,
    connectionTimeoutMillis: probeTimeoutMs,
    query_timeout: probeTimeoutMs,
    application_name: 'signalbox-change-feed',
  })
  // A lost connection says so more than once, at any time; an `error` that nobody hears would end the process.
  client.on('error', () => {})
  client.on('notification', ({ payload }) => payload !== undefined && onText(payload))
  try {
    await client.connect()
    await client.query(`listen ${channel}`)
    return client
  } catch (error) {
    client.end().catch(() => {})
    throw error
  }
}

/** Holds one listening connection; `onResume` after each time it had been lost. Gives how to stop. */
async function keepListening(
  options: { readonly url: string; readonly log: Logger },
  onText: (text: string) => void,
  onResume: () => void,
): Promise<() => Promise<void>> {
  const stopping = new AbortController()
  const { signal } = stopping
  const first = await connectListener(options.url, onText)
  const listening = (async () => {
    for (let client = first; ; ) {
      await untilLost(client, signal)
      const ended = client.end().catch(() => {})
      if (signal.aborted) {
        await Promise.race([ended, sleep(endTimeoutMs, undefined, { ref: false })])
        return
      }
      options.log.warn('the connection that listens for changes was lost; opening another')
      const next = await reconnect(() => connectListener(options.url, onText), signal)
      if (next === undefined) return
      client = next
      onResume()
    }
  })()
  return async () => {
    stopping.abort()
    await listening
  }
}

/** Resolves when the connection is gone, or the signal aborts. Looks now and then whether it still answers. */
async function untilLost(client: Client, signal: AbortSignal): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  await new Promise<void>((resolve) => {
    const done = () => resolve()
    client.once('error', done)
    client.once('end', done)
    timer = setInterval(() => client.query('select 1').catch(done), probeIntervalMs)
    timer.unref()
    signal.addEventListener('abort', done, { once: true })
    if (signal.aborted) done()
  })
  clearInterval(timer)
}

/** Tries with growing delays; undefined where the signal aborts. */
async function reconnect(connect: () => Promise<Client>, signal: AbortSignal): Promise<Client | undefined> {
  for (
    let delayMs: number = reconnectDelayMs.first;
    ;
    delayMs = Math.min(reconnectDelayMs.max, delayMs * 2)
  ) {
    try {
      await sleep(delayMs, undefined, { signal, ref: false })
      const client = await connect()
      if (!signal.aborted) return client
      await client.end().catch(() => {})
      return undefined
    } catch {
      if (signal.aborted) return undefined
    }
  }
}
