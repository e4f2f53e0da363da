import { Refusal, type Timeouts } from '@signalbox/sdk/contract'
import type { Exchange } from '../upstream/exchange.ts'
import type { AttemptFailure } from '../upstream/judge-failure.ts'

/** How fast a stream must begin. */
export interface SpeedLimit {
  readonly bytesPerS: number
  readonly windowMs: number
}

const standardWindowMs = 2000

/** What a plan asks of a stream's beginning; undefined where it asks nothing. */
export function speedLimitOf(timeouts: Timeouts | undefined): SpeedLimit | undefined {
  if (timeouts?.minBytesPerS === undefined) return undefined
  return { bytesPerS: timeouts.minBytesPerS, windowMs: timeouts.speedWindowMs ?? standardWindowMs }
}

/**
 * Holds a stream back until it has sent as much as it must in its window, or has ended; gives a failure where it is too
 * slow for that. A fast stream waits only as long as it takes to send so much.
 */
export function watchSpeed(
  exchange: Exchange,
  { bytesPerS, windowMs }: SpeedLimit,
  clock: () => number,
): Promise<AttemptFailure | undefined> {
  const bytesMin = Math.ceil((bytesPerS * windowMs) / 1000)
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined
    let startMs: number | undefined
    const end = (failure: AttemptFailure | undefined): void => {
      clearTimeout(timer)
      exchange.onWaiting = undefined
      resolve(failure)
    }
    const look = (): void => {
      // Errors and what is no stream are judged by others.
      if (exchange.isSettled || exchange.bytesIn >= bytesMin || exchange.status >= 300) {
        end(undefined)
        return
      }
      if (startMs !== undefined || exchange.bytesIn === 0) return
      startMs = clock()
      // From here on its pauses count, not its first event.
      exchange.flow()
      timer = setTimeout(() => {
        const seen = `${exchange.bytesIn} bytes in ${windowMs} ms`
        end({
          outcome: 'timeout',
          refusal: new Refusal('upstream_timeout', { detail: `the stream began too slowly: ${seen}` }),
          fallback: true,
          errorClass: 'timeout',
          isPassing: true,
          answer: undefined,
        })
      }, windowMs)
    }
    exchange.onWaiting = look
    look()
  })
}
