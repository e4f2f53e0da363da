import { setImmediate as yieldToOthers } from 'node:timers/promises'
import type { Exchange, ExchangeFailure } from '../upstream/exchange.ts'

/** A line of a batch, in or out, has at most so many bytes: as many as a call may have, and its answer. */
const lineBytesMax = 48 * 1024 * 1024
const newline = 0x0a
/** After so many lines other calls have their turn. */
const stretchLines = 32

/** What a provider sends breaks off, or is nothing that can be read. */
export class BrokenLines extends Error {
  override readonly name = 'BrokenLines'
}

/** The pieces of an answer, one at a time: the upstream waits while one is looked at. */
async function* piecesOf(exchange: Exchange): AsyncGenerator<Buffer, void, void> {
  const waiting: Buffer[] = []
  let end: ExchangeFailure | 'end' | undefined
  let wake: (() => void) | undefined
  exchange.flow()
  exchange.attach({
    onData(chunk) {
      // The client may give an empty piece when it is let go on; to stop at that would be to do so for ever.
      if (chunk.length === 0) return
      waiting.push(chunk)
      exchange.pause()
      wake?.()
    },
    onEnd() {
      end = 'end'
      wake?.()
    },
    onFailure(failure) {
      end = failure
      wake?.()
    },
  })
  for (;;) {
    const piece = waiting.shift()
    if (piece !== undefined) yield piece
    else if (end === 'end') return
    else if (end !== undefined) throw new BrokenLines(`${end.kind}: ${end.detail}`)
    else {
      await new Promise<void>((resolve) => {
        wake = resolve
        exchange.resume()
      })
      wake = undefined
    }
  }
}

/**
 * The lines of an answer that are not empty, in order, without more than one of them in memory.
 * @throws BrokenLines where it ends before its end, or a line is too long.
 */
export async function* linesOf(exchange: Exchange): AsyncGenerator<Buffer, void, void> {
  let parts: Buffer[] = []
  let bytes = 0
  let count = 0
  const take = (): Buffer => {
    const line = parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts)
    parts = []
    bytes = 0
    return line
  }
  for await (const piece of piecesOf(exchange)) {
    let start = 0
    for (let at = piece.indexOf(newline); at !== -1; at = piece.indexOf(newline, start)) {
      parts.push(piece.subarray(start, at))
      start = at + 1
      const line = take()
      if (line.length > 1 || (line.length === 1 && line[0] !== 0x0d)) yield line
      if (++count % stretchLines === 0) await yieldToOthers()
    }
    parts.push(piece.subarray(start))
    bytes += piece.length - start
    if (bytes > lineBytesMax) throw new BrokenLines(`a line is longer than ${lineBytesMax} bytes`)
  }
  const last = take()
  if (last.length > 0) yield last
}
