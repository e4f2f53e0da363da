import { Refusal } from '@signalbox/sdk/contract'
import { isObject, type JsonObject } from './json-value.ts'
import type { SseFrame } from './sse.ts'

/**
 * Undefined where it is no JSON object: the frame passes all the same, and the stream will not count as
 * complete.
 */
export function parseFrame(frame: SseFrame): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(frame.data)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/**
 * Some servers leave out the blank line after their last event; any other event that does not end was cut.
 */
export function refusePartial(): never {
  throw new Refusal('upstream_reset', { detail: 'the stream ended inside an event' })
}
