const newline = 10
/** Bytes that are handed to a thread at once. */
export const batchBytes = 512 * 1024
/** A record is not longer than this. */
const lineBytesMax = 64 * 1024 * 1024

/**
 * Puts chunks of bytes together to batches of whole lines of about half a MiB.
 * @throws RangeError where a line is longer than 64 MiB.
 */
export async function* lineBatches(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let pending: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of chunks) {
    pending.push(chunk)
    bytes += chunk.length
    if (bytes < batchBytes) continue
    const all = Buffer.concat(pending)
    const end = all.lastIndexOf(newline) + 1
    if (end === 0) {
      if (bytes > lineBytesMax) throw new RangeError(`a line is longer than ${lineBytesMax} bytes`)
      pending = [all]
      continue
    }
    // Large chunks are cut, so that all threads have work.
    for (let from = 0; from < end; ) {
      const near = Math.min(end, from + batchBytes)
      const to = near === end ? end : all.lastIndexOf(newline, near) + 1
      const cut = to > from ? to : all.indexOf(newline, near) + 1
      yield all.subarray(from, cut)
      from = cut
    }
    pending = [all.subarray(end)]
    bytes = all.length - end
  }
  if (bytes > 0) yield Buffer.concat(pending)
}

/** The lines of a batch. */
export function* linesOf(batch: Uint8Array): Generator<string> {
  const text = Buffer.from(batch.buffer, batch.byteOffset, batch.byteLength)
  for (let from = 0; from < text.length; ) {
    const found = text.indexOf(newline, from)
    const end = found === -1 ? text.length : found
    if (end > from) yield text.toString('utf8', from, end)
    from = end + 1
  }
}
