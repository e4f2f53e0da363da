import { freePass } from '../money/attempt-hold.ts'
import type { UpstreamRequest } from '../provider.ts'
import { baseUrlOf, type Target } from '../targets.ts'
import type { Upstream } from '../upstream/upstream.ts'

/** An upstream that takes longer to say anything at all is not back. */
const probeMs = 5000
const bytesMax = 65_536
const request: UpstreamRequest = {
  method: 'GET',
  path: '/models',
  headers: {},
  body: Buffer.alloc(0),
  dropped: [],
  responseDropped: [],
  addedUsage: false,
  identity: false,
}

/**
 * Whether an upstream answers again. Asks for its list of models without a credential: that costs nothing and tells
 * nobody anything, and a refusal is an answer too. Only a server's own failure (5xx), or silence, is none.
 */
export function createProbe(upstream: Upstream, clock: () => number): (target: Target) => Promise<boolean> {
  return async ({ connection, provider }) => {
    const baseUrl = baseUrlOf(connection, provider)
    if (baseUrl === undefined) return true
    const exchange = upstream.open({
      request,
      baseUrl,
      credentials: {},
      limits: {
        connectMs: probeMs,
        firstTokenMs: probeMs,
        idleMs: probeMs,
        deadlineMs: clock() + probeMs,
        clientIdleMs: probeMs,
        bytesMax,
        waitingBytesMax: bytesMax,
      },
      dispatch: undefined,
      permit: freePass,
    })
    const failure = await exchange.head
    exchange.abort('the probe is over')
    return failure === undefined && exchange.status < 500
  }
}
