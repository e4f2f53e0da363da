import { Refusal } from '@signalbox/sdk/contract'

/** One event of a stream may have this many bytes; a longer one ends the stream with an error. */
export const sseEventBytesMax = 16 * 1024 * 1024

const lineFeed = 10
const carriageReturn = 13

interface SseFields {
  readonly event: string
  readonly data: string
}

/**
 * One event of a stream: the exact bytes, its closing blank line included, and on demand what they say.
 * Comments and blank lines are frames without data. Format: WHATWG HTML, server-sent events.
 */
export class SseFrame {
  readonly bytes: Buffer
  /** The bytes ended before the event did. */
  readonly partial: boolean
  #fields: SseFields | undefined

  constructor(bytes: Buffer, partial = false) {
    this.bytes = bytes
    this.partial = partial
  }

  /** Value of the last `event:` line, or empty. */
  get event(): string {
    this.#fields ??= parseFields(this.bytes)
    return this.#fields.event
  }

  /** The `data:` lines, joined by line feeds, or empty. */
  get data(): string {
    this.#fields ??= parseFields(this.bytes)
    return this.#fields.data
  }
}

/** Splits a stream's bytes, which arrive in any pieces, into frames. */
export interface StreamSplitter {
  /** The frames that this piece completes. Throws a Refusal `upstream_invalid` where one is too long. */
  push(chunk: Buffer): SseFrame[]
  /** What is left when the bytes end, or undefined. */
  end(): SseFrame | undefined
}

/**
 * Splits bytes that arrive in any pieces into frames; the frames put together are byte for byte what was
 * pushed.
 */
export class SseSplitter implements StreamSplitter {
  readonly #eventBytesMax: number
  /** Parts of an event that has not come to its end. A list made anew for each event would outlive it in the heap. */
  readonly #pending: Buffer[] = []
  #pendingBytes = 0
  #lineIsEmpty = true
  // A carriage return was the last byte: whether a line feed belongs to it is not known yet.
  #awaitsLineFeed = false

  constructor(eventBytesMax: number = sseEventBytesMax) {
    this.#eventBytesMax = eventBytesMax
  }

  /** The frames that this piece completes. Throws a Refusal `upstream_invalid` where one is too long. */
  push(chunk: Buffer): SseFrame[] {
    const frames: SseFrame[] = []
    let start = 0
    let at = 0
    if (this.#awaitsLineFeed && chunk.length > 0) {
      this.#awaitsLineFeed = false
      if (chunk[0] === lineFeed) at = 1
      start = this.#endLine(chunk, 0, at, frames)
    }
    const hasReturns = chunk.indexOf(carriageReturn) !== -1
    while (at < chunk.length) {
      const end = hasReturns ? nextLineEnd(chunk, at) : chunk.indexOf(lineFeed, at)
      if (end !== at) this.#lineIsEmpty = false
      if (end === -1) break
      at = end + 1
      if (chunk[end] === carriageReturn) {
        if (at === chunk.length) {
          this.#awaitsLineFeed = true
          break
        }
        if (chunk[at] === lineFeed) at++
      }
      start = this.#endLine(chunk, start, at, frames)
    }
    if (start < chunk.length) this.#keep(start === 0 ? chunk : chunk.subarray(start))
    return frames
  }

  /** What is left when the bytes end, or undefined. */
  end(): SseFrame | undefined {
    if (this.#pending.length === 0) return undefined
    const whole = this.#awaitsLineFeed && this.#lineIsEmpty
    const bytes = Buffer.concat(this.#pending)
    this.#pending.length = 0
    return new SseFrame(bytes, !whole)
  }

  /** An empty line ends the frame; returns where the next one starts. */
  #endLine(chunk: Buffer, start: number, at: number, frames: SseFrame[]): number {
    const ends = this.#lineIsEmpty
    this.#lineIsEmpty = true
    if (!ends) return start
    // Most pieces are one event.
    const last = start === 0 && at === chunk.length ? chunk : chunk.subarray(start, at)
    frames.push(new SseFrame(this.#take(last)))
    return at
  }

  #take(last: Buffer): Buffer {
    this.#count(last.length)
    this.#pendingBytes = 0
    if (this.#pending.length === 0) return last
    this.#pending.push(last)
    const bytes = Buffer.concat(this.#pending)
    this.#pending.length = 0
    return bytes
  }

  #keep(bytes: Buffer): void {
    this.#count(bytes.length)
    this.#pending.push(bytes)
  }

  #count(bytes: number): void {
    this.#pendingBytes += bytes
    if (this.#pendingBytes <= this.#eventBytesMax) return
    throw new Refusal('upstream_invalid', { detail: `stream event exceeds ${this.#eventBytesMax} bytes` })
  }
}

function nextLineEnd(chunk: Buffer, from: number): number {
  const feed = chunk.indexOf(lineFeed, from)
  const back = chunk.indexOf(carriageReturn, from)
  if (feed === -1) return back
  return back === -1 || feed < back ? feed : back
}

function parseFields(bytes: Buffer): SseFields {
  const text = bytes.toString('utf8')
  const lines = text.includes('\r') ? text.split(/\r\n|\n|\r/) : text.split('\n')
  let event = ''
  let data: string | undefined
  for (const line of lines) {
    if (line.startsWith('data:')) {
      const value = fieldValue(line, 5)
      data = data === undefined ? value : `${data}\n${value}`
    } else if (line.startsWith('event:')) {
      event = fieldValue(line, 6)
    } else if (line.startsWith('\uFEFFdata:')) {
      data = fieldValue(line, 6)
    } else if (line.startsWith('\uFEFFevent:')) {
      event = fieldValue(line, 7)
    }
  }
  return { event, data: data ?? '' }
}

function fieldValue(line: string, from: number): string {
  return line.charCodeAt(from) === 32 ? line.slice(from + 1) : line.slice(from)
}

/** One event as text, for a stream that is encoded here. `data` has no line breaks. */
export function encodeSseEvent(event: string | undefined, data: unknown): string {
  const line = `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`
  return event === undefined ? line : `event: ${event}\n${line}`
}
