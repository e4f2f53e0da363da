import type { CachedAnswer } from './cached-answer.ts'

/** What an answer takes beside its body. */
const frameBytes = 512

interface Kept {
  readonly answer: CachedAnswer
  /** When it came here, from a call or from a shared store. */
  readonly keptMs: number
}

/** Answers in memory, up to a number of bytes; the longest unused makes room. */
export class AnswerMemory {
  readonly #bytesMax: number
  readonly #kept = new Map<string, Kept>()
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get bytes(): number {
    return this.#bytes
  }
  get size(): number {
    return this.#kept.size
  }

  get(key: string, nowMs: number): Kept | undefined {
    const kept = this.#kept.get(key)
    if (kept === undefined) return undefined
    this.#kept.delete(key)
    if (nowMs >= kept.answer.expiresMs) {
      this.#bytes -= sizeOf(kept.answer)
      return undefined
    }
    this.#kept.set(key, kept)
    return kept
  }

  set(key: string, answer: CachedAnswer, keptMs: number): void {
    this.delete(key)
    const size = sizeOf(answer)
    if (size > this.#bytesMax) return
    this.#kept.set(key, { answer, keptMs })
    this.#bytes += size
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= this.#bytesMax) return
      this.delete(oldest)
    }
  }

  delete(key: string): void {
    const kept = this.#kept.get(key)
    if (kept === undefined) return
    this.#kept.delete(key)
    this.#bytes -= sizeOf(kept.answer)
  }
}

const sizeOf = ({ body }: CachedAnswer): number => body.length + frameBytes
