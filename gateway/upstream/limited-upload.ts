import { type Readable, Transform } from 'node:stream'

/** Largest body that is passed on while it comes: the largest file that OpenAI takes. */
export const uploadBytesMax = 512 * 1024 * 1024

/** A body on its way through: no more than a socket's worth of it is ever held, and it ends at a limit. */
export function limitedUpload(source: Readable, bytesMax: number = uploadBytesMax): Readable {
  let bytes = 0
  const limited = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length
      if (bytes > bytesMax) done(new Error(`the body is longer than ${bytesMax} bytes`))
      else done(null, chunk)
    },
  })
  let ended = false
  source.once('end', () => {
    ended = true
  })
  source.once('close', () => {
    if (!ended) limited.destroy(new Error('the body did not come to its end'))
  })
  limited.once('close', () => source.unpipe(limited))
  // Who reads it is told through the exchange; without a listener the error would end the process.
  limited.on('error', () => {})
  return source.pipe(limited)
}
