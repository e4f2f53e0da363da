import type { ServerResponse } from 'node:http'
import type { Refusal } from '@signalbox/sdk/contract'
import { sendAtTurnEnd } from './turn-end.ts'

/** A caller who leaves more than this of a whole answer unread, and reads nothing for this long, is cut off. */
const unreadBytesMax = 65_536
const unreadMs = 120_000

/** Sees what a caller is sent. */
export interface WriterTap {
  head(status: number, headers: readonly string[]): void
  piece(piece: Buffer | string): void
}

/**
 * The caller's side of a call. Counts what is sent, tells when the socket is full and when the caller has gone, and
 * makes sure that an answer begins and ends once. Its end leaves at the end of the turn, after what is written down of
 * the call.
 */
export class ResponseWriter {
  /** Bytes of body that were handed to the socket. */
  bytesOut = 0
  /** The head was sent; from now on the status cannot change. */
  begun = false
  /** The answer is complete, or the caller has gone. */
  over = false
  /** The caller went away before his answer was complete. */
  gone = false
  /** Why we end the answer ourselves; undefined while we do not. */
  cancelled: Refusal | undefined
  /** The caller has gone, or the answer was cancelled: nothing more is wanted from the upstream. */
  onStop: (() => void) | undefined
  onDrain: (() => void) | undefined
  /** Of the running calls. */
  slot = 0
  tap: WriterTap | undefined

  readonly #response: ServerResponse
  readonly #headers: string[]

  constructor(response: ServerResponse) {
    this.#response = response
    this.#headers = []
    response.on('close', () => {
      if (this.over) return
      this.over = true
      this.gone = true
      this.onStop?.()
    })
  }

  /** Asks for the answer to end with this refusal. */
  cancel(refusal: Refusal): void {
    if (this.over || this.cancelled !== undefined) return
    this.cancelled = refusal
    this.onStop?.()
  }

  /** Adds a header to every answer of this call; names are lower-case. */
  header(name: string, value: string): void {
    this.#headers.push(name, value)
  }

  /** Sends an answer that is whole. */
  send(status: number, headers: readonly string[], body: Buffer | string): void {
    if (this.over || this.begun) return
    const bytes = typeof body === 'string' ? Buffer.from(body) : body
    this.#response.writeHead(status, [...this.#headers, ...headers, 'content-length', String(bytes.length)])
    this.tap?.head(status, headers)
    this.tap?.piece(bytes)
    this.begun = true
    this.over = true
    this.bytesOut = bytes.length
    sendAtTurnEnd(() => this.#sendWhole(bytes))
  }

  #sendWhole(bytes: Buffer): void {
    this.#response.end(bytes)
    // What does not fit into the socket is kept until it is read; not for ever.
    if (this.#response.writableLength > unreadBytesMax)
      this.#response.setTimeout(unreadMs, () => this.destroy())
  }

  /** Begins a streamed answer. */
  begin(status: number, headers: readonly string[]): void {
    if (this.over || this.begun) return
    this.#response.writeHead(status, [...this.#headers, ...headers])
    this.tap?.head(status, headers)
    this.begun = true
    this.#response.on('drain', () => this.onDrain?.())
  }

  /** Sends a piece; false where the caller reads slower than we send, until `onDrain`. */
  write(piece: Buffer | string): boolean {
    if (this.over || piece.length === 0) return true
    this.tap?.piece(piece)
    this.bytesOut += typeof piece === 'string' ? Buffer.byteLength(piece) : piece.length
    return this.#response.write(piece)
  }

  end(): void {
    if (this.over) return
    this.over = true
    // What was written last goes with the end, not before it.
    this.#response.cork()
    sendAtTurnEnd(() => this.#response.end())
  }

  /** Cuts the connection, for a caller who does not read. */
  destroy(): void {
    this.over = true
    this.gone = true
    this.#response.destroy()
  }
}
