import type { Exchange, ExchangeFailure } from './exchange.ts'

/** A body that is read whole has at most this many bytes, whatever the exchange itself allows. */
const wholeBytesMax = 64 * 1024 * 1024

/** The whole body of an answer, or why there is none. The exchange limits its time. */
export function readWhole(exchange: Exchange): Promise<Buffer | ExchangeFailure> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    exchange.attach({
      onData(chunk) {
        chunks.push(chunk)
        if (exchange.bytesIn <= wholeBytesMax) return
        resolve({ kind: 'invalid', detail: `the answer is longer than ${wholeBytesMax} bytes` })
        exchange.abort('too long')
      },
      onEnd: () =>
        resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)),
      onFailure: resolve,
    })
  })
}

/** The value of a JSON body; undefined where it is none. */
export function parseBody(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}
