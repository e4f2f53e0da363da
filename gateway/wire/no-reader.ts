import type { FrameReading, StreamReader } from '../provider.ts'

const nothing: FrameReading = Object.freeze({ textBytes: 0, withhold: false })

/** For formats that no client of ours speaks: no stream of theirs ever passes through. */
export class NoReader implements StreamReader {
  read(): FrameReading {
    return nothing
  }

  finish(): { complete: boolean } {
    return { complete: false }
  }

  cut(): string {
    return ''
  }
}
