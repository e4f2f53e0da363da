import type { FrameReading, StreamReader } from '../../provider.ts'
import { asObject, asString, type JsonObject } from '../json-value.ts'
import { parseFrame, refusePartial } from '../read-frame.ts'
import { encodeSseEvent, type SseFrame } from '../sse.ts'
import { textBytesAfter } from '../text-bytes.ts'
import { readMessagesError } from './errors.ts'
import { decodeStopReason } from './finish.ts'
import { MessagesUsage } from './usage.ts'

const nothing: FrameReading = Object.freeze({ textBytes: 0, withhold: false })

const blockEvent = Buffer.from('event: content_block_')
const pingEvent = Buffer.from('event: ping')
const texts = ['text":"', 'partial_json":"', 'thinking":"'] as const

/** Reads a Messages stream as it passes. Blocks and pings, told by their event line, are not parsed. */
export class MessagesStreamReader implements StreamReader {
  readonly #usage = new MessagesUsage()
  #stopped = false
  #failed = false
  /** The latest event of a block; it says which one is open. */
  #block: SseFrame | undefined
  /** As reported so far. */
  #outputTokens = 0

  read(frame: SseFrame): FrameReading {
    const reading = this.#read(frame)
    if (frame.partial && !this.finish().complete) refusePartial()
    return reading
  }

  #read(frame: SseFrame): FrameReading {
    const { bytes } = frame
    if (startsWith(bytes, blockEvent)) {
      this.#block = frame
      const textBytes = textBytesAfter(bytes.toString('latin1'), texts)
      return textBytes === 0 ? nothing : { textBytes, withhold: false }
    }
    if (startsWith(bytes, pingEvent) || frame.data === '') return nothing
    const event = parseFrame(frame)
    return event === undefined ? nothing : this.#event(event)
  }

  finish(): { complete: boolean } {
    return { complete: this.#stopped && !this.#failed }
  }

  /** An open tool call stays open: closed, it would count as complete. */
  cut(): string {
    const last = this.#block === undefined ? undefined : parseFrame(this.#block)
    const kind = asString(asObject(last?.delta)?.type) ?? asString(asObject(last?.content_block)?.type)
    const isOpen = last !== undefined && last.type !== 'content_block_stop'
    const isCall = kind === 'input_json_delta' || kind === 'tool_use'
    const stop = { type: 'content_block_stop', index: last?.index }
    const delta = { stop_reason: 'max_tokens', stop_sequence: null }
    const usage = { output_tokens: this.#outputTokens }
    return (
      (isOpen && !isCall ? encodeSseEvent('content_block_stop', stop) : '') +
      encodeSseEvent('message_delta', { type: 'message_delta', delta, usage }) +
      encodeSseEvent('message_stop', { type: 'message_stop' })
    )
  }

  #event(event: JsonObject): FrameReading {
    switch (event.type) {
      case 'message_start':
        return this.#withUsage(asObject(event.message)?.usage)
      case 'message_delta': {
        const nativeFinish = asString(asObject(event.delta)?.stop_reason)
        const reading = this.#withUsage(event.usage)
        if (nativeFinish === undefined) return reading
        return { ...reading, finish: decodeStopReason(nativeFinish), nativeFinish }
      }
      case 'message_stop':
        this.#stopped = true
        return nothing
      case 'error': {
        this.#failed = true
        const { code, message } = readMessagesError(event)
        const error = { code: code ?? 'upstream_error', message: message ?? 'The provider sent an error.' }
        return { ...nothing, error }
      }
      case 'content_block_delta':
        return { textBytes: textBytesAfter(JSON.stringify(event.delta ?? null), texts), withhold: false }
      default:
        return nothing
    }
  }

  #withUsage(value: unknown): FrameReading {
    const usage = asObject(value)
    if (usage === undefined) return nothing
    const counts = this.#usage.update(usage)
    this.#outputTokens = counts.output ?? this.#outputTokens
    return { ...nothing, usage: counts }
  }
}

function startsWith(bytes: Buffer, start: Buffer): boolean {
  return bytes.length >= start.length && bytes.compare(start, 0, start.length, 0, start.length) === 0
}
