import { type Listed, LiveList } from '../live-list.ts'

/** Something that has a time by which it must have gone on. */
export interface Watched extends Listed {
  checkTime(nowMs: number): void
}

/** How exact time limits are. A timer for each exchange would cost more than all else of its bookkeeping. */
const tickMs = 25

/** Looks at all running exchanges a few times a second, with one timer that runs only while there are any. */
export class ExchangeWatch {
  readonly #clock: () => number
  readonly #watched = new LiveList<Watched>()
  #timer: NodeJS.Timeout | undefined

  constructor(clock: () => number) {
    this.#clock = clock
  }

  get nowMs(): number {
    return this.#clock()
  }

  add(watched: Watched): void {
    this.#watched.add(watched)
    this.#timer ??= setInterval(() => this.#tick(), tickMs)
  }

  delete(watched: Watched): void {
    this.#watched.delete(watched)
  }

  #tick(): void {
    if (this.#watched.size === 0) {
      clearInterval(this.#timer)
      this.#timer = undefined
      return
    }
    const nowMs = this.#clock()
    this.#watched.visit((watched) => watched.checkTime(nowMs))
  }
}
