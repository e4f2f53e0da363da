import type { IncarnationFolder } from './incarnation-folder.ts'
import type { Written } from './journal-messages.ts'
import { Outbox } from './outbox.ts'
import { RawReader } from './raw-reader.ts'
import { packGap, packSegment, sequencesOf } from './segment.ts'
import { SegmentText } from './segment-text.ts'

/** Turns the raw files of one incarnation into segments. */
export class IncarnationJournal {
  readonly folder: IncarnationFolder
  readonly outbox: Outbox
  readonly #reader: RawReader
  readonly #text: SegmentText
  #sinceMs = 0

  constructor(folder: IncarnationFolder, segmentRecordsMax: number) {
    folder.create()
    this.#text = new SegmentText(segmentRecordsMax)
    this.folder = folder
    this.outbox = new Outbox(folder)
    const { file, end } = this.outbox.sealedTo
    this.#reader = new RawReader(folder, { file, end })
  }

  /** Lines that wait for their segment, and since when. */
  get waiting(): { readonly count: number; readonly sinceMs: number } {
    return { count: this.#text.lines, sinceMs: this.#sinceMs }
  }

  extend(written: readonly Written[]): void {
    this.#reader.extend(written)
  }

  /** Reads what is new; seals each segment that is full. Throws where the disk fails; then nothing is lost. */
  take(nowMs: number): void {
    for (;;) {
      const isFirst = this.#text.lines === 0
      const found = this.#text.isFull ? 'full' : this.#reader.read(this.#text)
      if (isFirst) this.#sinceMs = nowMs
      if (found === 'end') return
      if (found === 'full') this.seal()
    }
  }

  /** Makes a segment of what waits, if anything does. */
  seal(): void {
    const { lines, gaps, bytes, firstLine, lastLine } = this.#text
    if (lines === 0) return
    const first = sequencesOf(firstLine)?.first ?? this.outbox.lastSequence + 1
    const last = sequencesOf(lastLine)?.last ?? first + lines - 1
    const end = this.#reader.at
    this.outbox.add(packSegment(bytes, { records: lines - gaps, first, last }), end)
    this.#text.clear()
    for (const { file } of this.folder.rawFiles()) {
      if (file < end.file) this.folder.removeRaw(file)
    }
  }

  /**
   * For an incarnation that is over: everything is sealed, and what was given a sequence but never written becomes a
   * gap.
   */
  finish(nowMs: number): void {
    this.extend(this.folder.rawFiles())
    this.take(nowMs)
    this.seal()
    const taken = this.folder.loadTaken()
    const from = this.outbox.lastSequence + 1
    if (taken < from) return
    const { incarnation } = this.folder
    this.outbox.add(packGap({ incarnation, from, to: taken, reason: 'crash' }), this.#reader.at)
  }

  close(): void {
    this.#reader.close()
    this.#text.release()
  }
}
