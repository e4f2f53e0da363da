import type { IncomingMessage } from 'node:http'
import { Refusal } from '@signalbox/sdk/contract'

/**
 * Reads the body of a request as it comes, without keeping more than it may have.
 * @throws Refusal `request_too_large`, `invalid_request` for a compressed body, `client_closed`.
 */
export function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const encoding = request.headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity') {
    const message = 'The request body must not be compressed.'
    return Promise.reject(new Refusal('invalid_request', { status: 415, message, param: 'content-encoding' }))
  }
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) return Promise.reject(tooLarge(bytesMax))
  return new Promise((resolve, reject) => {
    const body = new BodyPieces(Number(request.headers['content-length'] ?? 0))
    let ended = false
    request.on('data', (chunk: Buffer) => {
      if (body.bytes + chunk.length <= bytesMax) body.push(chunk)
      else {
        request.removeAllListeners('data')
        body.clear()
        reject(tooLarge(bytesMax))
      }
    })
    request.on('end', () => {
      ended = true
      resolve(body.whole())
    })
    request.on('close', () => {
      if (!ended) reject(new Refusal('client_closed', { detail: 'the body did not come to its end' }))
    })
  })
}

/** So much is gathered before a place for all of a body is made: a caller may say more than he sends. */
const gatheredBytesMax = 1_048_576

/** The pieces of a body; of a large one whose length is known each goes to its place as it comes, and none is kept. */
class BodyPieces {
  bytes = 0
  readonly #length: number
  #pieces: Buffer[] = []
  #whole: Buffer | undefined

  /** @param length of the whole in bytes, as its sender says. */
  constructor(length: number) {
    this.#length = length
  }

  push(piece: Buffer): void {
    const at = this.bytes
    this.bytes += piece.length
    if (this.#whole === undefined) {
      this.#pieces.push(piece)
      if (this.bytes < gatheredBytesMax || this.bytes > this.#length) return
      this.#whole = Buffer.allocUnsafe(this.#length)
      let filled = 0
      for (const each of this.#pieces) filled += each.copy(this.#whole, filled)
      this.#pieces = []
    } else piece.copy(this.#whole, at)
  }

  clear(): void {
    this.#pieces = []
    this.#whole = undefined
  }

  whole(): Buffer {
    if (this.#whole !== undefined) return this.#whole.subarray(0, this.bytes)
    const [first] = this.#pieces
    return this.#pieces.length === 1 && first !== undefined ? first : Buffer.concat(this.#pieces, this.bytes)
  }
}

function tooLarge(bytesMax: number): Refusal {
  return new Refusal('request_too_large', { message: `The request body is larger than ${bytesMax} bytes.` })
}

/** How long, and for how many bytes, a caller may go on sending a body that has already been answered. */
const lingerMs = 5000
const lingerBytesMax = 64 * 1024 * 1024

/**
 * Throws away what is left of a body, so that its sender gets to reading the answer; cuts the connection where there
 * is too much left.
 */
export function discardRest(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return
  let bytes = 0
  const timer = setTimeout(() => request.destroy(), lingerMs)
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > lingerBytesMax) request.destroy()
  })
  request.on('close', () => clearTimeout(timer))
  // One that was passed on while it came stands still since nobody takes it.
  request.unpipe()
  request.resume()
}
