/**
 * Puts a memory back by the marks that the engine makes: each store marks its page, so that what a call did not touch
 * need not be copied. `build-engine.ts` says why the marks can be trusted.
 */
import type { EngineExports, Snapshot } from './engine.ts'

/** A store may begin in one page and end in the next: as many bytes of the next go with a page. */
const OVERHANG_BYTES = 8

/** What one page of a snapshot holds. */
interface PageSource {
  /** Bytes from the page's start on; after them the page is zero. */
  readonly bytes: Uint8Array
  readonly zeroFrom: number
  readonly zeroTo: number
}

export class Pages {
  readonly #memory: Uint8Array
  readonly #pageBytes: number
  readonly #stackEnd: number
  readonly #heapStart: number
  /** The marks of the whole memory, four a word and one by one. */
  readonly #words: Uint32Array
  readonly #marks: Uint8Array
  /** The first and the last mark that no script can cause but by a fault of the engine: the marks' own pages. */
  readonly #ownFirst: number
  readonly #ownLast: number
  /** The first page of the host's part. */
  readonly #hostFirst: number
  /** What the memory was put into last. */
  #current: Snapshot | undefined
  readonly #sources = new WeakMap<Snapshot, PageSource[]>()
  #currentSources: PageSource[] = []

  /** Expects a memory that is empty below the transfer area, its static data aside. */
  constructor(exports: EngineExports, memory: Uint8Array) {
    this.#memory = memory
    this.#pageBytes = exports.pageBytes.value
    this.#stackEnd = exports.stackEnd.value
    this.#heapStart = exports.heapStart.value
    const marks: number = exports.marks.value
    const pages = memory.length / this.#pageBytes
    this.#marks = new Uint8Array(memory.buffer, marks, pages)
    this.#words = new Uint32Array(memory.buffer, marks, pages >> 2)
    this.#ownFirst = marks / this.#pageBytes
    this.#ownLast = this.#heapStart / this.#pageBytes - 1
    this.#hostFirst = (memory.length - exports.transferBytes.value) / this.#pageBytes
  }

  /** Puts back the pages that were written since. False, and nothing is done, where that would not be enough. */
  putBack(snapshot: Snapshot): boolean {
    if (snapshot !== this.#current || !this.#isSound()) return false
    const words = this.#words
    for (let word = 0; word < words.length; word++) {
      const four = words[word] as number
      if (four === 0) continue
      words[word] = 0
      const page = word << 2
      if ((four & 0xff) !== 0) this.#putPage(page)
      if ((four & 0xff00) !== 0) this.#putPage(page + 1)
      if ((four & 0xff0000) !== 0) this.#putPage(page + 2)
      if (four >>> 24 !== 0) this.#putPage(page + 3)
    }
    return true
  }

  /** Whatever the memory holds: writes all of it that is not zero already. */
  putAll(snapshot: Snapshot): void {
    const memory = this.#memory
    const { data, heap } = snapshot
    const heapEnd = this.#heapStart + heap.length
    const usedEnd = this.#usedEnd()
    memory.set(data, 0)
    memory.fill(0, this.#stackEnd, this.#heapStart)
    memory.set(heap, this.#heapStart)
    if (usedEnd > heapEnd) memory.fill(0, heapEnd, usedEnd)
    this.#current = snapshot
    this.#currentSources = this.#sourcesOf(snapshot)
  }

  /**
   * Makes all of it zero, as in a new memory: what was ever written, the marks with it, and the host's part.
   * Most of a memory is zero after any call, and to zero all of it takes longer than many a call.
   */
  erase(): void {
    const end = this.#usedEnd()
    this.#memory.fill(0, 0, end)
    this.#memory.fill(0, this.#hostFirst * this.#pageBytes)
    this.#current = undefined
  }

  /** Above it the memory is zero. */
  #usedEnd(): number {
    const end = this.#hostFirst * this.#pageBytes
    if (!this.#isSound()) return end
    const marked = (this.#marks.lastIndexOf(1) + 1) * this.#pageBytes + OVERHANG_BYTES
    return Math.min(end, Math.max(marked, this.#heapStart + (this.#current?.heap.length ?? 0)))
  }

  /** Whether nothing was written where a script never writes. */
  #isSound(): boolean {
    const marks = this.#marks
    for (let page = this.#ownFirst; page <= this.#ownLast; page++) if (marks[page] !== 0) return false
    for (let page = this.#hostFirst; page < marks.length; page++) if (marks[page] !== 0) return false
    return true
  }

  #putPage(page: number): void {
    const source = this.#currentSources[page]
    const from = page * this.#pageBytes
    if (source === undefined) {
      this.#memory.fill(0, from, from + this.#pageBytes + OVERHANG_BYTES)
      return
    }
    this.#memory.set(source.bytes, from)
    if (source.zeroFrom < source.zeroTo) this.#memory.fill(0, source.zeroFrom, source.zeroTo)
  }

  /** By page, as far as the snapshot goes; pages of the stack have none, they are zero. */
  #sourcesOf(snapshot: Snapshot): PageSource[] {
    const known = this.#sources.get(snapshot)
    if (known !== undefined) return known
    const sources: PageSource[] = []
    const add = (bytes: Uint8Array, start: number) => {
      for (let at = 0; at < bytes.length; at += this.#pageBytes) {
        const whole = at + this.#pageBytes + OVERHANG_BYTES
        sources[(start + at) / this.#pageBytes] = {
          bytes: bytes.subarray(at, Math.min(whole, bytes.length)),
          zeroFrom: start + Math.min(whole, bytes.length),
          zeroTo: start + whole,
        }
      }
    }
    add(snapshot.data, 0)
    add(snapshot.heap, this.#heapStart)
    this.#sources.set(snapshot, sources)
    return sources
  }
}
