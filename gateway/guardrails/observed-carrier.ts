import type { StreamDecoder } from '../provider.ts'
import type { Carrier, ProviderError } from '../relay/carrier.ts'
import type { SseFrame } from '../wire/sse.ts'
import type { StreamText } from './stream-text.ts'

/** Reads a stream beside a carrier that passes its bytes: nothing of it is changed, or waits. */
export function observed(inner: Carrier, decoder: StreamDecoder, seen: StreamText): Carrier {
  const look = (read: () => ReturnType<StreamDecoder['push']>): void => {
    if (seen.broken) return
    try {
      seen.add(read())
    } catch {
      seen.broken = true
    }
  }
  return {
    get lost() {
      return inner.lost
    },
    get waitingBytes() {
      return inner.waitingBytes
    },
    take(frame: SseFrame): ProviderError | undefined {
      if (frame.data !== '') look(() => decoder.push(frame))
      return inner.take(frame)
    },
    flush: (piece, frames) => inner.flush(piece, frames),
    drop: () => inner.drop(),
    finish() {
      look(() => decoder.finish().deltas)
      return inner.finish()
    },
    end: () => inner.end(),
    cut: () => inner.cut(),
    fail: (refusal, recordId) => inner.fail(refusal, recordId),
  }
}
