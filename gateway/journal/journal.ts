import { closeSync, openSync, writeSync } from 'node:fs'
import { apiOperations, type GapRecord, segmentRecordsMax } from '@signalbox/sdk/contract'
import type { Logger } from '@signalbox/sdk/node'
import type { Recorder } from '../recorder.ts'
import { writeAtTurnEnd } from '../turn-end.ts'
import { IncarnationFolder } from './incarnation-folder.ts'
import type { JournalProgress, Written } from './journal-messages.ts'
import { JournalThread } from './journal-thread.ts'
import { RawWriter } from './raw-writer.ts'
import { gapLine } from './segment.ts'

/** A record that is larger than this in text is not kept. */
const recordCharsMax = 1024 * 1024
/** What is not packed yet may take a quarter of the journal, and this at most. */
const rawBytesMax = 64 * 1024 * 1024

export interface JournalOptions {
  /** Holds a folder for each incarnation. */
  readonly folder: string
  readonly incarnation: string
  readonly url: string
  readonly token: string
  readonly bytesMax: number
  readonly log: Logger
  readonly times?: JournalTimes
}
export interface JournalTimes {
  /** Between a record and its being written. */
  readonly flushAfterMs: number
  /** Between its being written and its segment. */
  readonly sealAfterMs: number
  readonly backoffBaseMs: number
  readonly backoffMaxMs: number
}
export const standardJournalTimes: JournalTimes = {
  flushAfterMs: 40,
  sealAfterMs: 200,
  backoffBaseMs: 250,
  backoffMaxMs: 15_000,
}

/** What metrics say of the journal. */
export interface JournalStatus {
  /** Bytes on the disk and on their way there. */
  readonly bytes: number
  readonly segments: number
  readonly recordedRecords: number
  readonly uploadedRecords: number
  readonly uploadFailures: number
  /** Records that are lost, each in a gap: no room, a failing disk, refused. */
  readonly lostRecords: number
  readonly threadRestarts: number
}
type Reason = GapRecord['gap']['reason']

/**
 * Takes the record of every call and sees that it reaches the control plane: copied to a buffer at once, written to the
 * disk within 40 ms, then packed and sent by a thread of its own. Calls never wait; what cannot be kept is a gap.
 */
export class Journal implements Recorder {
  readonly #options: JournalOptions
  readonly #folder: IncarnationFolder
  readonly #writer: RawWriter
  readonly #thread: JournalThread
  readonly #rawBytesMax: number
  readonly #takenDescriptor: number
  readonly #takenBytes = Buffer.alloc(8)
  /** How far each raw file is written that is not in segments whole. */
  readonly #written = new Map<number, number>()
  #progress: JournalProgress | undefined
  #unsealedBytes = 0
  #sequence = 0
  #isNoting = false
  #isClosed = false
  #recorded = 0
  #lost = 0
  #gaps: { from: number; to: number; reason: Reason }[] = []

  constructor(options: JournalOptions) {
    this.#options = options
    const times = options.times ?? standardJournalTimes
    this.#rawBytesMax = Math.min(rawBytesMax, options.bytesMax / 4)
    this.#folder = new IncarnationFolder(options.folder, options.incarnation)
    this.#folder.create()
    this.#takenDescriptor = openSync(this.#folder.takenPath, 'w', 0o600)
    this.#writer = new RawWriter({
      folder: this.#folder,
      flushAfterMs: times.flushAfterMs,
      onWritten: (written) => this.#wrote(written),
      onFailure: (error) => options.log.error({ err: error }, 'the journal cannot be written'),
    })
    const { folder, incarnation, url, token, log } = options
    const outboxBytesMax = options.bytesMax - this.#rawBytesMax
    this.#thread = new JournalThread({
      settings: {
        ...{ folder, incarnation, url, token, outboxBytesMax, segmentRecordsMax },
        path: apiOperations.gatewaySegment.path,
        ...times,
      },
      log,
      written: () => [...this.#written].map(([file, end]) => ({ file, end })),
      onProgress: (progress) => this.#progressed(progress),
    })
  }

  /**
   * The next sequence. The highest one of a turn is noted on the disk (8 bytes) before its answers leave, so that
   * records that die with the process are known to be missing.
   */
  nextSequence(): number {
    if (!this.#isNoting) writeAtTurnEnd(() => this.#note())
    this.#isNoting = true
    return ++this.#sequence
  }

  #note(): void {
    this.#isNoting = false
    if (this.#isClosed) return
    this.#takenBytes.writeDoubleLE(this.#sequence, 0)
    try {
      writeSync(this.#takenDescriptor, this.#takenBytes, 0, 8, 0)
    } catch {
      // A disk that fails here fails the records too, and there it is told.
    }
  }

  record(sequence: number, line: string | undefined): void {
    if (line === undefined || line.length > recordCharsMax) this.#lose(sequence, 'disk')
    else if (this.#isFull()) this.#lose(sequence, 'overflow')
    else {
      if (this.#gaps.length > 0) this.#writeGaps()
      this.#recorded++
      this.#writer.append(line)
    }
  }

  #isFull(): boolean {
    return this.#writer.pendingBytes + this.#unsealedBytes > this.#rawBytesMax
  }

  #lose(sequence: number, reason: Reason): void {
    this.#lost++
    const gap = this.#gaps.at(-1)
    if (gap?.reason === reason && gap.to + 1 === sequence) gap.to = sequence
    else this.#gaps.push({ from: sequence, to: sequence, reason })
  }

  #writeGaps(): void {
    const { incarnation } = this.#options
    for (const gap of this.#gaps.splice(0)) this.#writer.append(gapLine({ incarnation, ...gap }))
  }

  #wrote(written: Written): void {
    this.#written.set(written.file, written.end)
    this.#countUnsealed()
    this.#thread.post({ type: 'written', written: [written] })
  }

  #progressed(progress: JournalProgress): void {
    this.#progress = progress
    for (const file of this.#written.keys()) {
      if (file < progress.sealed.file) this.#written.delete(file)
    }
    this.#countUnsealed()
    if (this.#gaps.length > 0 && !this.#isFull()) this.#writeGaps()
  }

  #countUnsealed(): void {
    const sealed = this.#progress?.sealed
    let bytes = 0
    for (const [file, end] of this.#written) bytes += file === sealed?.file ? end - sealed.end : end
    this.#unsealedBytes = bytes
  }

  status(): JournalStatus {
    const progress = this.#progress
    return {
      bytes: this.#writer.pendingBytes + this.#unsealedBytes + (progress?.outboxBytes ?? 0),
      segments: progress?.outboxSegments ?? 0,
      recordedRecords: this.#recorded,
      uploadedRecords: progress?.uploadedRecords ?? 0,
      uploadFailures: progress?.uploadFailures ?? 0,
      lostRecords: this.#lost + (progress?.overflowRecords ?? 0) + (progress?.refusedRecords ?? 0),
      threadRestarts: this.#thread.restarts,
    }
  }

  /** Writes and sends what is here, for at most this long; what is left is sent by the next start. */
  async close(withinMs: number): Promise<void> {
    const startMs = performance.now()
    if (this.#gaps.length > 0) this.#writeGaps()
    await this.#writer.finish(withinMs)
    await this.#thread.close(Math.max(0, withinMs - (performance.now() - startMs)))
    if (this.#isNoting) this.#note()
    this.#isClosed = true
    closeSync(this.#takenDescriptor)
  }
}
