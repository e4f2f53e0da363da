import type { FrameReading, StreamReader } from '../../provider.ts'
import { asArray, asObject, asString, type JsonObject } from '../json-value.ts'
import { parseFrame, refusePartial } from '../read-frame.ts'
import { encodeSseEvent, type SseFrame } from '../sse.ts'
import { textBytesAfter } from '../text-bytes.ts'
import { readChatError } from './errors.ts'
import { decodeFinish } from './finish.ts'
import type { ChatQuirks } from './quirks.ts'
import { readChatUsage } from './usage.ts'

const nothing: FrameReading = Object.freeze({ textBytes: 0, withhold: false })

/** A member that has to be read; inside a string its quotes would be escaped. Null says nothing. */
const tellingMember = /"(?:finish_reason|usage|error)"\s*:\s*(?!null|\s)/
/** `content` is the end of `reasoning_content` too. */
const texts = ['content":"', 'reasoning":"', 'refusal":"'] as const
const callText = ['arguments":"'] as const
/** Longer frames than this are no end marker. */
const doneBytesMax = 32

/**
 * Reads a Chat Completions stream as it passes. Most chunks carry text alone: they are recognised by their
 * bytes and not parsed.
 */
export class ChatStreamReader implements StreamReader {
  readonly #quirks: ChatQuirks
  readonly #addedUsage: boolean
  #hasToolCalls = false
  #finished = false
  #done = false
  #failed = false
  /** The latest chunk: what it says of its answer stands in every one. */
  #latest: SseFrame | undefined

  constructor(quirks: ChatQuirks, addedUsage: boolean) {
    this.#quirks = quirks
    this.#addedUsage = addedUsage
  }

  read(frame: SseFrame): FrameReading {
    const reading = this.#read(frame)
    if (frame.partial && !this.finish().complete) refusePartial()
    return reading
  }

  #read(frame: SseFrame): FrameReading {
    const { bytes } = frame
    if (bytes.length <= doneBytesMax) {
      if (frame.data.trim() === '[DONE]') this.#done = true
      if (!frame.data.startsWith('{')) return nothing
    }
    this.#latest = frame
    // Latin-1 is the fastest way to a string; the names that are looked for are ASCII.
    const text = bytes.toString('latin1')
    const argued = textBytesAfter(text, callText)
    if (argued > 0) this.#hasToolCalls = true
    const textBytes = argued + textBytesAfter(text, texts)
    if (!tellingMember.test(text)) return textBytes === 0 ? nothing : { textBytes, withhold: false }
    const chunk = parseFrame(frame)
    return chunk === undefined ? nothing : this.#chunk(chunk, frame.event, textBytes)
  }

  finish(): { complete: boolean } {
    const ended = this.#done || (this.#quirks.endsWithoutDone && this.#finished)
    return { complete: ended && !this.#failed }
  }

  cut(): string {
    const chunk = this.#latest === undefined ? undefined : parseFrame(this.#latest)
    const { usage: _usage, choices: _choices, ...head } = chunk ?? { object: 'chat.completion.chunk' }
    const choices = [{ index: 0, delta: {}, finish_reason: 'length' }]
    return `${encodeSseEvent(undefined, { ...head, choices })}data: [DONE]\n\n`
  }

  #chunk(chunk: JsonObject, event: string, textBytes: number): FrameReading {
    if (event === 'error' || (chunk.error !== undefined && chunk.error !== null)) {
      this.#failed = true
      const { code, type, message } = readChatError(chunk)
      const error = {
        code: code ?? type ?? 'upstream_error',
        message: message ?? 'The provider sent an error.',
      }
      return { error, textBytes, withhold: false }
    }
    const choices = asArray(chunk.choices)
    const usage = readChatUsage(chunk)
    const ending = choices.map(asObject).find((choice) => typeof choice?.finish_reason === 'string')
    const nativeFinish = asString(ending?.finish_reason)
    if (nativeFinish !== undefined) this.#finished = true
    const finish =
      nativeFinish === undefined
        ? undefined
        : decodeFinish(nativeFinish, this.#hasToolCalls, ending?.native_finish_reason)
    return {
      ...(usage !== undefined && { usage }),
      ...(finish !== undefined && { finish }),
      ...(nativeFinish !== undefined && { nativeFinish }),
      textBytes,
      withhold:
        this.#addedUsage && usage !== undefined && Array.isArray(chunk.choices) && choices.length === 0,
    }
  }
}
