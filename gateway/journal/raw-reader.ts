import { closeSync, openSync, readSync } from 'node:fs'
import type { IncarnationFolder } from './incarnation-folder.ts'
import type { Written } from './journal-messages.ts'
import type { SegmentText } from './segment-text.ts'

const readBytesMax = 512 * 1024

/** Reads lines in order over all raw files, never beyond what is known to be written. */
export class RawReader {
  readonly #folder: IncarnationFolder
  /** How far each file is written, by number. */
  readonly #ends = new Map<number, number>()
  #at: Written
  #descriptor: number | undefined

  constructor(folder: IncarnationFolder, start: Written) {
    this.#folder = folder
    this.#at = start
  }

  /** Where the next line begins. */
  get at(): Written {
    return this.#at
  }

  /** Learns that files are written up to here. */
  extend(written: readonly Written[]): void {
    for (const { file, end } of written) {
      if (file >= this.#at.file) this.#ends.set(file, Math.max(end, this.#ends.get(file) ?? 0))
    }
  }

  /**
   * Appends lines to the text: `more` where there may be others, `full` where no line more has room, `end` where no
   * whole line is left. Throws where the disk fails.
   */
  read(text: SegmentText): 'more' | 'full' | 'end' {
    for (;;) {
      const { file, end } = this.#at
      const written = this.#ends.get(file) ?? 0
      const bytes = Math.min(written - end, readBytesMax)
      const taken = bytes > 0 ? this.#readLines(text, bytes, written) : 0
      if (taken > 0) {
        this.#at = { file, end: end + taken }
        return text.isFull ? 'full' : 'more'
      }
      if (bytes > 0 && text.lines > 0 && text.room.length < written - end) return 'full'
      // A tail without an end is what a crash cut off: where a next file has begun, nothing will be added to it.
      if (!this.#nextFile()) return 'end'
    }
  }

  /** Reads more and more until there is a whole line, the text has no room or the file ends. */
  #readLines(text: SegmentText, bytesFirst: number, written: number): number {
    this.#descriptor ??= openSync(this.#folder.rawPath(this.#at.file), 'r')
    const { room } = text
    const bytesMax = Math.min(room.length, written - this.#at.end)
    for (let want = Math.min(bytesFirst, bytesMax); ; want = Math.min(want * 2, bytesMax)) {
      const got = readSync(this.#descriptor, room, 0, want, this.#at.end)
      const taken = text.take(got)
      if (taken > 0 || want === bytesMax || got < want) return taken
    }
  }

  #nextFile(): boolean {
    const next = [...this.#ends.keys()].filter((file) => file > this.#at.file).sort((a, b) => a - b)[0]
    if (next === undefined) return false
    this.#ends.delete(this.#at.file)
    this.close()
    this.#at = { file: next, end: 0 }
    return true
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor)
    this.#descriptor = undefined
  }
}
