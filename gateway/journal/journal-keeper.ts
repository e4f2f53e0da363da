import { mkdirSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { Backoff } from '../documents/backoff.ts'
import { IncarnationFolder, leftoverFolders } from './incarnation-folder.ts'
import { IncarnationJournal } from './incarnation-journal.ts'
import type { FromWorker, JournalProgress, JournalWorkerSettings, Written } from './journal-messages.ts'
import type { OutboxEntry } from './outbox.ts'
import { packGap } from './segment.ts'
import { SegmentUploader, UploadError } from './segment-uploader.ts'

/** How often a segment that is refused, and in which nothing is wrong, is tried before it is given up. */
const refusalsMax = 20
/** While nothing gets through, a segment waits this long to become full; what waits is on the disk all the same. */
const sealWhenAwayMs = 10_000

interface Job {
  readonly journal: IncarnationJournal
  readonly entry: OutboxEntry
}

/**
 * The worker's side of the journal: seals what this incarnation writes, finishes what earlier ones left, and sends the
 * segments in order, one chain for each incarnation.
 */
export class JournalKeeper {
  readonly #settings: JournalWorkerSettings
  readonly #tell: (message: FromWorker) => void
  readonly #uploader: SegmentUploader
  readonly #live: IncarnationJournal
  readonly #leftovers: IncarnationJournal[] = []
  readonly #stop = new AbortController()
  #wake: () => void = () => {}
  #away = false
  #refusals = 0
  #inFlight: OutboxEntry | undefined
  #takesLeftover = false
  #counts = {
    uploadedRecords: 0,
    uploadedSegments: 0,
    uploadFailures: 0,
    overflowRecords: 0,
    refusedRecords: 0,
  }

  constructor(settings: JournalWorkerSettings, tell: (message: FromWorker) => void) {
    this.#settings = settings
    this.#tell = tell
    this.#uploader = new SegmentUploader(settings)
    // Once for all waits: the signal would keep a listener of each of them for as long as the gateway runs.
    this.#stop.signal.addEventListener('abort', () => this.#wake(), { once: true })
    mkdirSync(settings.folder, { recursive: true, mode: 0o700 })
    const { folder, incarnation, segmentRecordsMax } = settings
    this.#live = new IncarnationJournal(new IncarnationFolder(folder, incarnation), segmentRecordsMax)
    for (const leftover of leftoverFolders(folder, incarnation)) this.#finish(leftover)
  }

  #finish(folder: IncarnationFolder): void {
    try {
      const journal = new IncarnationJournal(folder, this.#settings.segmentRecordsMax)
      journal.finish(performance.now())
      journal.close()
      const { incarnation } = folder
      const segments = journal.outbox.length
      if (segments === 0) {
        folder.remove()
        return
      }
      this.#leftovers.push(journal)
      this.#log('info', 'records of an earlier run were found', { incarnation, segments })
    } catch (error) {
      this.#log('error', 'the records of an earlier run cannot be read', { error: String(error) })
    }
  }

  #log(level: 'error' | 'warn' | 'info', message: string, detail: Record<string, string | number>): void {
    this.#tell({ type: 'log', level, message, detail })
  }

  progress(): JournalProgress {
    const journals = [this.#live, ...this.#leftovers]
    const { file, end } = this.#live.outbox.sealedTo
    return {
      sealed: { file, end },
      outboxBytes: journals.reduce((sum, each) => sum + each.outbox.bytes, 0),
      outboxSegments: journals.reduce((sum, each) => sum + each.outbox.length, 0),
      ...this.#counts,
    }
  }

  /** The main thread wrote more. */
  extend(written: readonly Written[]): void {
    this.#live.extend(written)
    this.seal()
  }

  /** Reads what is new and seals what is full or has waited long enough; called again and again. */
  seal(): void {
    const nowMs = performance.now()
    try {
      this.#live.take(nowMs)
      const { count, sinceMs } = this.#live.waiting
      const dueMs = this.#away ? sealWhenAwayMs : this.#settings.sealAfterMs
      if (count > 0 && nowMs - sinceMs >= dueMs) this.#live.seal()
      this.#makeRoom()
    } catch (error) {
      this.#log('error', 'the journal cannot be sealed; its records wait on the disk', {
        error: String(error),
      })
    }
    this.#wake()
  }

  /** Drops the oldest segments, those of earlier incarnations first, until the rest fits. */
  #makeRoom(): void {
    let lost = 0
    for (;;) {
      const { outboxBytes } = this.progress()
      if (outboxBytes <= this.#settings.outboxBytesMax) break
      let dropped = 0
      for (const { outbox } of [...this.#leftovers, this.#live]) {
        dropped = outbox.dropOldest(this.#inFlight)
        if (dropped > 0) break
      }
      if (dropped === 0) break
      lost += dropped
    }
    if (lost === 0) return
    this.#counts.overflowRecords += lost
    this.#log('warn', 'the journal is full; the oldest records made room', { records: lost })
  }

  /** Sends segments until told to stop. */
  async run(): Promise<void> {
    const { backoffBaseMs, backoffMaxMs } = this.#settings
    const backoff = new Backoff({ baseMs: backoffBaseMs, maxMs: backoffMaxMs, random: Math.random })
    const { signal } = this.#stop
    while (!signal.aborted) {
      const job = this.#next()
      if (job === undefined) {
        await this.#woken()
        continue
      }
      if (await this.#send(job)) backoff.reset()
      else await wait(backoff.nextMs(), undefined, { signal }).catch(() => {})
    }
    this.#uploader.close()
  }

  /** This run's own records and those of earlier runs take turns. */
  #next(): Job | undefined {
    const live = this.#live.outbox.first
    const [leftover] = this.#leftovers
    const entry = leftover?.outbox.first
    this.#takesLeftover = !this.#takesLeftover
    if (leftover !== undefined && entry !== undefined && (this.#takesLeftover || live === undefined)) {
      return { journal: leftover, entry }
    }
    return live === undefined ? undefined : { journal: this.#live, entry: live }
  }

  async #woken(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
  }

  /** False where it has to be tried again later. */
  async #send(job: Job): Promise<boolean> {
    const { journal, entry } = job
    this.#inFlight = entry
    try {
      const { incarnation } = journal.folder
      const { digest, records } = entry
      const bytes = journal.outbox.read(entry)
      const { previous } = journal.outbox
      await this.#uploader.upload({ incarnation, digest, previous, records, bytes }, this.#stop.signal)
      journal.outbox.acknowledge(entry)
      this.#counts.uploadedRecords += records
      this.#counts.uploadedSegments++
      this.#refusals = 0
      this.#setAway(undefined)
      this.#retire(journal)
      return true
    } catch (error) {
      if (this.#stop.signal.aborted) return false
      this.#counts.uploadFailures++
      this.#setAway(error)
      return error instanceof UploadError && error.isAboutTheBytes && (await this.#mend(job))
    } finally {
      this.#inFlight = undefined
    }
  }

  #setAway(error: unknown): void {
    const away = error !== undefined
    if (away && !this.#away)
      this.#log('warn', 'segments cannot be sent; they wait', { reason: String(error) })
    if (!away && this.#away) this.#log('info', 'segments are sent again', {})
    this.#away = away
  }

  #retire(journal: IncarnationJournal): void {
    if (journal === this.#live || journal.outbox.length > 0) return
    this.#leftovers.splice(this.#leftovers.indexOf(journal), 1)
    journal.folder.remove()
  }

  /** A segment that is refused as such: invalid lines go out of it; one without any is given up after a while. */
  async #mend({ journal, entry }: Job): Promise<boolean> {
    const { incarnation } = journal.folder
    const { repairSegment } = await import('./repair-segment.ts')
    const repaired = repairSegment(journal.outbox.read(entry), { incarnation, ...entry })
    if (repaired !== undefined) {
      journal.outbox.replace(entry, repaired.segment)
      this.#counts.refusedRecords += repaired.removed
      this.#log('error', 'records were refused and taken out of their segment', { records: repaired.removed })
      return true
    }
    this.#refusals++
    if (this.#refusals < refusalsMax || entry.isGap) return false
    this.#refusals = 0
    const { first: from, last: to, records } = entry
    journal.outbox.replace(entry, packGap({ incarnation, from, to, reason: 'disk' }))
    this.#counts.refusedRecords += records
    this.#log('error', 'a segment was refused again and again and is given up', { records })
    return true
  }

  /** Seals everything and sends what can be sent in time. What cannot stays on the disk for the next start. */
  async close(withinMs: number): Promise<void> {
    const deadlineMs = performance.now() + withinMs
    try {
      this.#live.finish(performance.now())
      this.#wake()
      while (this.progress().outboxSegments > 0 && performance.now() < deadlineMs) await wait(10)
      if (this.#live.outbox.length === 0) this.#live.folder.remove()
    } catch (error) {
      this.#log('error', 'the journal cannot be sealed; its records wait on the disk', {
        error: String(error),
      })
    }
    this.#stop.abort()
    this.#live.close()
  }
}
