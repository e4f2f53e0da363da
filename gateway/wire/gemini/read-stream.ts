import type { FrameReading, StreamReader } from '../../provider.ts'
import { asArray, asObject, asString, type JsonObject } from '../json-value.ts'
import { parseFrame, refusePartial } from '../read-frame.ts'
import { encodeSseEvent, type SseFrame } from '../sse.ts'
import { readGeminiError } from './errors.ts'
import { decodeFinish, encodeFinish } from './finish.ts'
import { countGeminiSearches } from './grounding.ts'
import { asList, readFields } from './read-fields.ts'
import { readGeminiUsage } from './usage.ts'

const nothing: FrameReading = Object.freeze({ textBytes: 0, withhold: false })

/** Reads a Gemini stream as it passes: every event has the usage so far, the last one the finish reason. */
export class GeminiStreamReader implements StreamReader {
  #hasCalls = false
  /** Of all events: only some of them say it. */
  #searches = 0
  #ended = false
  /** What every event repeats: model and id of the answer. */
  #latest: JsonObject = {}

  read(frame: SseFrame): FrameReading {
    const reading = this.#read(frame)
    if (frame.partial && !this.#ended) refusePartial()
    return reading
  }

  finish(): { complete: boolean } {
    return { complete: this.#ended }
  }

  cut(): string {
    const { modelVersion, responseId } = this.#latest
    const content = { parts: [{ text: '' }], role: 'model' }
    const candidates = [{ content, finishReason: encodeFinish('length'), index: 0 }]
    return encodeSseEvent(undefined, { candidates, modelVersion, responseId })
  }

  #read(frame: SseFrame): FrameReading {
    if (frame.data === '') return nothing
    const event = parseFrame(frame)
    if (event === undefined) return nothing
    if (asObject(event.error) !== undefined) {
      const { name, reason, message } = readGeminiError(event)
      const code = reason ?? name ?? 'upstream_error'
      return {
        error: { code, message: message ?? 'The provider sent an error.' },
        textBytes: 0,
        withhold: false,
      }
    }
    return this.#event(event)
  }

  #event(event: JsonObject): FrameReading {
    this.#latest = event
    const usage = readGeminiUsage(event)
    this.#searches = Math.max(this.#searches, countGeminiSearches(event))
    const searched = this.#searches > 0 && { searches: this.#searches }
    const candidates = asArray(event.candidates).map(readFields)
    let textBytes = 0
    for (const candidate of candidates) {
      for (const part of asList(readFields(candidate?.content)?.parts)) textBytes += this.#textBytes(part)
    }
    return {
      ...(usage !== undefined && { usage: { ...usage, ...searched } }),
      ...this.#end(event, candidates[0]),
      textBytes,
      withhold: false,
    }
  }

  #end(event: JsonObject, candidate: JsonObject | undefined): Pick<FrameReading, 'finish' | 'nativeFinish'> {
    const blocked = asString(readFields(event.promptFeedback)?.blockReason)
    const reason = asString(candidate?.finishReason)
    if (reason === undefined && blocked === undefined) return {}
    this.#ended = true
    if (reason === undefined) return { finish: 'contentFilter', nativeFinish: blocked ?? '' }
    return { finish: decodeFinish(reason, this.#hasCalls), nativeFinish: reason }
  }

  #textBytes(value: unknown): number {
    const part = asObject(value)
    if (typeof part?.text === 'string') return Buffer.byteLength(part.text)
    const call = asObject(part?.functionCall ?? part?.function_call)
    if (call === undefined) return 0
    this.#hasCalls = true
    return call.args === undefined ? 0 : Buffer.byteLength(JSON.stringify(call.args))
  }
}
