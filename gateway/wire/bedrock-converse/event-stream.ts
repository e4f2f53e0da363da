import { Refusal } from '@signalbox/sdk/contract'
import { EventStreamCodec } from '@smithy/eventstream-codec'
import { SseFrame, type StreamSplitter, sseEventBytesMax } from '../sse.ts'

/** Length of the whole message, length of its headers, and their checksum. */
const preludeBytes = 12
/** Smallest message: prelude and the checksum of the whole. */
const messageBytesMin = 16

const codec = new EventStreamCodec(
  (bytes) => (typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('utf8')),
  (text) => Buffer.from(text, 'utf8'),
)

function frameOf(message: Buffer): SseFrame {
  const { headers, body } = codec.decode(message)
  const named = headers[':event-type'] ?? headers[':exception-type'] ?? headers[':error-code']
  const name = typeof named?.value === 'string' ? named.value : 'unknownException'
  const isError = headers[':message-type']?.value !== 'event'
  const event = isError && !name.endsWith('Exception') ? `${name}Exception` : name
  // Payloads are JSON in one line; a line break inside one would end the frame early.
  const data = Buffer.from(body).toString('utf8').replace(/\r?\n/g, ' ')
  return new SseFrame(Buffer.from(`event: ${event}\ndata: ${data === '' ? '{}' : data}\n\n`))
}

/**
 * Splits an AWS event stream that arrives in any pieces into frames with the name of each event and its payload.
 * Checksums are checked. Throws a Refusal `upstream_invalid` for what is no such stream, or a message that is too
 * long. Format: docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html.
 */
export class EventStreamSplitter implements StreamSplitter {
  #pending: Buffer = Buffer.alloc(0)

  push(chunk: Buffer): SseFrame[] {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk])
    const frames: SseFrame[] = []
    while (this.#pending.length >= preludeBytes) {
      const bytes = this.#pending.readUInt32BE(0)
      if (bytes < messageBytesMin || bytes > sseEventBytesMax) this.#refuse(`a message of ${bytes} bytes`)
      if (this.#pending.length < bytes) break
      const message = this.#pending.subarray(0, bytes)
      this.#pending = this.#pending.subarray(bytes)
      frames.push(this.#decode(message))
    }
    return frames
  }

  /** A message that the end cut: it says nothing. */
  end(): SseFrame | undefined {
    const rest = this.#pending
    this.#pending = Buffer.alloc(0)
    return rest.length === 0 ? undefined : new SseFrame(Buffer.from(': cut\n\n'), true)
  }

  #decode(message: Buffer): SseFrame {
    try {
      return frameOf(message)
    } catch {
      return this.#refuse('a message with a wrong checksum')
    }
  }

  #refuse(what: string): never {
    throw new Refusal('upstream_invalid', { detail: `${what} in an event stream` })
  }
}
