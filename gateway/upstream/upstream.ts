import type { Readable } from 'node:stream'
import { type Dispatcher, Pool } from 'undici'
import type { Permit } from '../money/attempt-hold.ts'
import type { UpstreamRequest } from '../provider.ts'
import { sendAtTurnEnd } from '../turn-end.ts'
import { Exchange, type ExchangeLimits } from './exchange.ts'
import { ExchangeWatch } from './exchange-watch.ts'

/** Sockets to one upstream; more calls than that wait in undici's queue until one is free or their time is over. */
const connectionsPerOriginMax = 4096
/** Upstreams with open pools; the one unused for longest is closed for a new one. */
const originsMax = 256
/** Below what common servers keep idle sockets for, so that a request seldom meets a socket that is just closing. */
const keepAliveMs = 20_000
const responseHeaderBytesMax = 65_536
const connectTimeoutMs = 60_000

/** What undici, and the simulated provider in its place, are asked to do. */
export type Dispatch = (options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler) => boolean

/** One attempt at the admission point. */
export interface OutboundAttempt {
  readonly request: UpstreamRequest
  /** The body, where it comes while it is sent; in place of the request's own. */
  readonly upload?: Readable | undefined
  readonly baseUrl: string
  /** Headers with the credential; made by the provider's `authenticate`. */
  readonly credentials: Readonly<Record<string, string>>
  readonly limits: ExchangeLimits
  /** What the attempt keeps of its budgets; without one nothing goes out. */
  readonly permit: Permit
  /** The connection's own authority (PEM), in place of the common ones. */
  readonly ca?: string | undefined
  /** Answers instead of the network. */
  readonly dispatch: Dispatch | undefined
}

/** The only way out of the gateway for calls. */
export interface Upstream {
  /**
   * The admission point: every attempt goes through here, whatever it is for, and shows its hold. It leaves at the end
   * of the turn, when its hold is written down; one that is given up before that never does.
   */
  open(attempt: OutboundAttempt): Exchange
  close(): Promise<void>
}

interface Origin {
  readonly origin: string
  readonly basePath: string
}

function createPool(origin: string, ca: string | undefined): Pool {
  return new Pool(origin, {
    ...(ca !== undefined && { connect: { ca, timeout: connectTimeoutMs } }),
    connections: connectionsPerOriginMax,
    // One HTTP/1 socket per running exchange: an abort closes exactly its own.
    allowH2: false,
    pipelining: 1,
    keepAliveTimeout: keepAliveMs,
    maxHeaderSize: responseHeaderBytesMax,
    // The exchange keeps time itself; undici's own limit only clears away what hangs in connecting.
    connectTimeout: connectTimeoutMs,
    headersTimeout: 0,
    bodyTimeout: 0,
  })
}

function originOf(baseUrl: string): Origin {
  const url = new URL(baseUrl)
  return { origin: url.origin, basePath: url.pathname.replace(/\/+$/, '') }
}

/**
 * Lets an attempt out that is still wanted. Gives an error of ours, if there is one: nothing is held for it any more,
 * or what answers in the network's place has failed.
 */
function letOut(exchange: Exchange, permit: Permit, send: () => void): { error: unknown } | undefined {
  if (exchange.isOver) return undefined
  try {
    permit.dispatch()
    send()
    return undefined
  } catch (error) {
    return { error }
  }
}

/**
 * Pools per origin over undici. Redirects are never followed, bodies never decompressed.
 * @param onBug logs an error of ours that kept an attempt from going out; gives its name.
 */
export function createUpstream(clock: () => number, onBug: (error: unknown) => string = String): Upstream {
  const watch = new ExchangeWatch(clock)
  const pools = new Map<string, Pool>()
  const origins = new Map<string, Origin>()

  function poolFor(origin: string, ca: string | undefined): Pool {
    // Who trusts another authority must not be given a socket that was opened trusting this one.
    const name = ca === undefined ? origin : `${origin} ${ca}`
    const known = pools.get(name)
    if (known !== undefined) return known
    for (const [oldest, pool] of pools) {
      if (pools.size < originsMax) break
      pools.delete(oldest)
      pool.close().catch(() => pool.destroy())
    }
    const pool = createPool(origin, ca)
    pools.set(name, pool)
    return pool
  }

  function locate(baseUrl: string): Origin {
    let known = origins.get(baseUrl)
    if (known === undefined) {
      if (origins.size >= originsMax) origins.clear()
      known = originOf(baseUrl)
      origins.set(baseUrl, known)
    }
    return known
  }

  return {
    open({ request, upload, baseUrl, credentials, limits, permit, ca, dispatch }) {
      const exchange = new Exchange(limits, watch)
      const { origin, basePath } = locate(baseUrl)
      const options: Dispatcher.DispatchOptions = {
        origin,
        path: basePath + request.path,
        method: request.method,
        headers: { ...request.headers, 'accept-encoding': 'identity', ...credentials },
        // A method without a body must not be sent an empty one either: some servers refuse it.
        body: upload ?? (request.method === 'GET' || request.method === 'HEAD' ? null : request.body),
      }
      sendAtTurnEnd(() => {
        const bug = letOut(exchange, permit, () => {
          if (dispatch !== undefined) dispatch(options, exchange)
          // Looked up only now: one that was found earlier may have made room for another meanwhile.
          else poolFor(origin, ca).dispatch(options, exchange)
        })
        if (bug !== undefined) exchange.break(onBug(bug.error))
      })
      return exchange
    },
    async close() {
      await Promise.all([...pools.values()].map((pool) => pool.destroy()))
      pools.clear()
    },
  }
}
