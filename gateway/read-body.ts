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
    const chunks: Buffer[] = []
    let bytes = 0
    let ended = false
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= bytesMax) chunks.push(chunk)
      else {
        request.removeAllListeners('data')
        chunks.length = 0
        reject(tooLarge(bytesMax))
      }
    })
    request.on('end', () => {
      ended = true
      resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, bytes))
    })
    request.on('close', () => {
      if (!ended) reject(new Refusal('client_closed', { detail: 'the body did not come to its end' }))
    })
  })
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
}
