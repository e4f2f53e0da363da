import type { WriterTap } from '../response-writer.ts'
import { answerBytesMax } from './answer-cache.ts'

/** The comment with the cost, which is another one where an answer is given again. */
const costComment = ': signalbox cost='

/** Keeps what a caller is sent, as it is sent; nothing of an answer that is too large. */
export class AnswerTap implements WriterTap {
  status = 0
  contentType: string | undefined
  readonly #pieces: Buffer[] = []
  #bytes = 0

  head(status: number, headers: readonly string[]): void {
    this.status = status
    const at = headers.findIndex((name, index) => index % 2 === 0 && name === 'content-type')
    this.contentType = at === -1 ? undefined : headers[at + 1]
  }

  piece(piece: Buffer | string): void {
    if (this.#bytes > answerBytesMax) return
    const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece
    this.#bytes += bytes.length
    if (this.#bytes > answerBytesMax) this.#pieces.length = 0
    else this.#pieces.push(bytes)
  }

  /** All that was sent but for our own comment; undefined where it was too much. */
  get body(): Buffer | undefined {
    if (this.#bytes > answerBytesMax) return undefined
    const body = Buffer.concat(this.#pieces)
    const at = body.lastIndexOf(costComment)
    return at === -1 || body.indexOf('\n\n', at) !== body.length - 2 ? body : body.subarray(0, at)
  }
}
