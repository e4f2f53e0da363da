import type { Refusal } from '@signalbox/sdk/contract'
import type { FrameReading, StreamReader } from '../../provider.ts'
import { asArray, asObject, asString, type JsonObject } from '../json-value.ts'
import { parseFrame, refusePartial } from '../read-frame.ts'
import { encodeSseEvent, type SseFrame } from '../sse.ts'
import { textBytesAfter } from '../text-bytes.ts'
import { encodeFailedEnd, readEventError } from './errors.ts'
import { decodeEnd } from './finish.ts'
import { storedIdsOf } from './stored-ids.ts'
import { readResponsesUsage } from './usage.ts'

const nothing: FrameReading = Object.freeze({ textBytes: 0, withhold: false })

/** An event that has to be read: where the answer begins, and where it ends. */
const tellingType = /"type"\s*:\s*"(?:response\.(?:created|completed|incomplete|failed)|error)"/
/** The pieces of texts and arguments. */
const pieces = ['delta":"'] as const

/**
 * Reads a Responses stream as it passes. Pieces of text are recognised by their bytes and not parsed. It keeps what
 * the stream said of its answer at first, so that a stream which breaks off can be ended in its own terms.
 */
export class ResponsesStreamReader implements StreamReader {
  #response: JsonObject | undefined
  #events = 0
  #hasToolCalls = false
  #ended = false

  read(frame: SseFrame): FrameReading {
    const reading = this.#read(frame)
    if (frame.partial && !this.finish().complete) refusePartial()
    return reading
  }

  finish(): { complete: boolean } {
    return { complete: this.#ended }
  }

  /** The stream's own error ending, after what has passed. */
  fail(refusal: Refusal): string {
    return encodeFailedEnd(refusal, this.#response ?? { object: 'response', output: [] }, this.#events)
  }

  cut(): string {
    const response = {
      ...(this.#response ?? { object: 'response', output: [] }),
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
    }
    const type = 'response.incomplete'
    return encodeSseEvent(type, { type, response, sequence_number: this.#events })
  }

  #read(frame: SseFrame): FrameReading {
    // Latin-1 is the fastest way to a string; the names that are looked for are ASCII.
    const text = frame.bytes.toString('latin1')
    if (text.startsWith(':')) return nothing
    this.#events++
    const textBytes = textBytesAfter(text, pieces)
    if (textBytes > 0) return { textBytes, withhold: false }
    if (text.includes('"function_call"')) this.#hasToolCalls = true
    if (!tellingType.test(text)) return nothing
    const event = parseFrame(frame)
    return event === undefined ? nothing : this.#event(event)
  }

  #event(event: JsonObject): FrameReading {
    const response = asObject(event.response)
    switch (event.type) {
      case 'response.created': {
        this.#response = response
        return { textBytes: 0, withhold: false, storedIds: storedIdsOf(response) }
      }
      case 'response.completed':
      case 'response.incomplete': {
        this.#ended = true
        const usage = readResponsesUsage(event)
        const hasToolCalls = this.#hasToolCalls || hasCalls(response)
        return {
          ...(usage !== undefined && { usage }),
          ...decodeEnd(response ?? {}, hasToolCalls),
          storedIds: storedIdsOf(response),
          textBytes: 0,
          withhold: false,
        }
      }
      case 'response.failed':
      case 'error': {
        const usage = readResponsesUsage(event)
        return {
          ...(usage !== undefined && { usage }),
          error: readEventError(event),
          textBytes: 0,
          withhold: false,
        }
      }
      default:
        return nothing
    }
  }
}

function hasCalls(response: JsonObject | undefined): boolean {
  return asArray(response?.output).some((item) => asString(asObject(item)?.type) === 'function_call')
}
