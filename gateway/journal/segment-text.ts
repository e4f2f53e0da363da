/** A segment is also full at this many bytes of text; the control plane unpacks at most 64 MiB. */
const segmentTextBytesMax = 8 * 1024 * 1024
const newline = 10
const letterG = 103

/** The lines of the segment that is being filled, in one buffer that is used again for the next one. */
export class SegmentText {
  #buffer: Buffer | undefined
  readonly #linesMax: number
  #length = 0
  lines = 0
  /** Lines that are gaps. */
  gaps = 0

  constructor(linesMax: number) {
    this.#linesMax = linesMax
  }

  /** Where more can be read to. */
  get room(): Buffer {
    this.#buffer ??= Buffer.allocUnsafeSlow(segmentTextBytesMax)
    return this.#buffer.subarray(this.#length)
  }

  get bytes(): Buffer {
    return this.#buffer?.subarray(0, this.#length) ?? Buffer.alloc(0)
  }

  get isFull(): boolean {
    return this.lines >= this.#linesMax
  }

  /** Takes the whole lines that the first `length` bytes of the room begin with; gives how many bytes those are. */
  take(length: number): number {
    const read = this.room.subarray(0, length)
    let taken = 0
    while (!this.isFull) {
      const at = read.indexOf(newline, taken)
      if (at === -1) break
      // Lines are `{"row":…` or `{"gap":…`.
      if (read[taken + 2] === letterG) this.gaps++
      this.lines++
      taken = at + 1
    }
    this.#length += taken
    return taken
  }

  get firstLine(): string {
    const { bytes } = this
    return bytes.toString('utf8', 0, Math.max(0, bytes.indexOf(newline)))
  }

  get lastLine(): string {
    const { bytes } = this
    const end = bytes.length - 1
    return end < 0 ? '' : bytes.toString('utf8', bytes.lastIndexOf(newline, end - 1) + 1, end)
  }

  clear(): void {
    this.#length = 0
    this.lines = 0
    this.gaps = 0
  }

  /** Gives the buffer back. */
  release(): void {
    this.clear()
    this.#buffer = undefined
  }
}
