import type { IncomingHttpHeaders } from 'node:http'
import { type Drill, Refusal } from '@signalbox/sdk/contract'
import { readDrill } from '../drills/read-drill.ts'
import { type CacheAsked, cacheSecondsMax, readCacheHeaders } from '../wishes/read-cache.ts'

/** What the caller asks of the gateway itself, by `x-signalbox-…` headers. */
export interface CallOptions {
  readonly sessionId: string | undefined
  /** For the whole call, all attempts together. */
  readonly timeoutMs: number | undefined
  /** The cost is wanted as a comment after the last event of a stream. */
  readonly costTrailer: boolean
  /** A fault that the caller wants in place of the first targets, to see what becomes of his call. */
  readonly drill?: Drill
  /** What the caller wants of the cache; undefined where he says nothing. */
  readonly cache?: CacheAsked
}

const timeoutMsMax = 3_600_000
const sessionLengthMax = 256
const none: CallOptions = { sessionId: undefined, timeoutMs: undefined, costTrailer: false }

function refuse(header: string, expected: string): never {
  throw new Refusal('invalid_request', {
    message: `The header ${header} must be ${expected}.`,
    param: header,
  })
}

function readCache(text: string): NonNullable<CallOptions['cache']> {
  if (text === 'off' || text === 'refresh') return { mode: text }
  const seconds = Number(/^ttl=(\d{1,6})$/.exec(text)?.[1] ?? 0)
  if (seconds < 1 || seconds > cacheSecondsMax) {
    refuse('x-signalbox-cache', `"off", "refresh" or "ttl=SECONDS", from 1 to ${cacheSecondsMax}`)
  }
  return { mode: 'use', ttlMs: seconds * 1000 }
}

/** Reads the option headers. Throws a Refusal `invalid_request` that names a wrong one. */
export function readOptions(headers: IncomingHttpHeaders): CallOptions {
  const session = headers['x-signalbox-session']
  const timeout = headers['x-signalbox-timeout-ms']
  const trailer = headers['x-signalbox-trailer']
  const drill = headers['x-signalbox-drill']
  // Our own word comes before those of others.
  const own = headers['x-signalbox-cache']
  const cache = own === undefined ? readCacheHeaders(headers) : readCache(String(own))
  if ((session ?? timeout ?? trailer ?? cache ?? drill) === undefined) return none
  const sessionId = session === undefined || session === '' ? undefined : String(session)
  if (sessionId !== undefined && sessionId.length > sessionLengthMax) {
    refuse('x-signalbox-session', `at most ${sessionLengthMax} characters long`)
  }
  const timeoutMs = timeout === undefined ? undefined : Number(timeout)
  if (
    timeoutMs !== undefined &&
    !(Number.isInteger(timeoutMs) && timeoutMs > 0 && timeoutMs <= timeoutMsMax)
  ) {
    refuse('x-signalbox-timeout-ms', `a whole number from 1 to ${timeoutMsMax}`)
  }
  if (trailer !== undefined && trailer !== 'cost') refuse('x-signalbox-trailer', '"cost"')
  return {
    ...{ sessionId, timeoutMs, costTrailer: trailer === 'cost' },
    ...(cache !== undefined && { cache }),
    ...(drill !== undefined && { drill: readDrill(String(drill)) }),
  }
}
