import type { IncomingHttpHeaders } from 'node:http'
import { Refusal } from '@signalbox/sdk/contract'

/** What the caller asks of the gateway itself, by `x-signalbox-…` headers. */
export interface CallOptions {
  readonly sessionId: string | undefined
  /** For the whole call, all attempts together. */
  readonly timeoutMs: number | undefined
  /** The cost is wanted as a comment after the last event of a stream. */
  readonly costTrailer: boolean
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

/** Reads the option headers. Throws a Refusal `invalid_request` that names a wrong one. */
export function readOptions(headers: IncomingHttpHeaders): CallOptions {
  const session = headers['x-signalbox-session']
  const timeout = headers['x-signalbox-timeout-ms']
  const trailer = headers['x-signalbox-trailer']
  if (session === undefined && timeout === undefined && trailer === undefined) return none
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
  return { sessionId, timeoutMs, costTrailer: trailer === 'cost' }
}
