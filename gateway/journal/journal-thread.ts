import { Worker } from 'node:worker_threads'
import type { Logger } from '@signalbox/sdk/node'
import { Backoff } from '../documents/backoff.ts'
import type {
  FromWorker,
  JournalProgress,
  JournalWorkerSettings,
  ToWorker,
  Written,
} from './journal-messages.ts'

/** After it was asked to close in time, the thread gets this much longer to say that it did. */
const closeGraceMs = 1000

export interface JournalThreadOptions {
  readonly settings: JournalWorkerSettings
  readonly log: Logger
  /** How far the raw files are written: what a thread that starts anew has to know. */
  readonly written: () => readonly Written[]
  readonly onProgress: (progress: JournalProgress) => void
}

/** Holds the journal's worker thread: starts it, starts it again when it dies, and ends it. */
export class JournalThread {
  readonly #options: JournalThreadOptions
  readonly #backoff: Backoff
  #worker: Worker | undefined
  #closed: (() => void) | undefined
  #restart: NodeJS.Timeout | undefined
  restarts = 0

  constructor(options: JournalThreadOptions) {
    this.#options = options
    const { backoffBaseMs: baseMs, backoffMaxMs: maxMs } = options.settings
    this.#backoff = new Backoff({ baseMs, maxMs, random: Math.random })
    this.#start()
  }

  #start(): void {
    const worker = new Worker(new URL('./journal.worker.ts', import.meta.url), {
      workerData: this.#options.settings,
      name: 'journal',
    })
    this.#worker = worker
    worker.on('message', (message: FromWorker) => this.#take(message))
    worker.on('error', (error) => this.#options.log.error({ err: error }, 'the journal thread failed'))
    worker.on('exit', () => this.#ended(worker))
    const written = this.#options.written()
    if (written.length > 0) this.post({ type: 'written', written })
  }

  #take(message: FromWorker): void {
    const { log, onProgress } = this.#options
    if (message.type === 'log') {
      log[message.level](message.detail, message.message)
      return
    }
    onProgress(message.progress)
    this.#backoff.reset()
    if (message.type === 'closed') this.#closed?.()
  }

  /** What it had in hand is on the disk; the next one goes on from there. */
  #ended(worker: Worker): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    if (this.#closed !== undefined) {
      this.#closed()
      return
    }
    this.restarts++
    this.#restart = setTimeout(() => this.#start(), this.#backoff.nextMs())
  }

  post(message: ToWorker): void {
    this.#worker?.postMessage(message)
  }

  /** Lets the thread send what it has, for at most this long, and ends it. */
  async close(withinMs: number): Promise<void> {
    clearTimeout(this.#restart)
    const worker = this.#worker
    if (worker === undefined) return
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      this.#closed = resolve
      timer = setTimeout(resolve, withinMs + closeGraceMs)
      this.post({ type: 'close', withinMs })
    })
    clearTimeout(timer)
    this.#worker = undefined
    await worker.terminate()
  }
}
