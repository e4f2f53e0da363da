import type { CachedAnswer } from './cached-answer.ts'
import type { ConvertedAnswer } from './convert-answer.ts'

/** What an answer takes beside its body. */
const frameBytes = 512

/** Other forms of an answer that are kept beside it. */
const formsMax = 4

interface Kept {
  readonly answer: CachedAnswer
  /** When it came here, from a call or from a shared store. */
  readonly keptMs: number
  /** What it was made into for calls that wanted another form. */
  readonly forms: Map<string, ConvertedAnswer>
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
      this.#bytes -= sizeOf(kept)
      return undefined
    }
    this.#kept.set(key, kept)
    return kept
  }

  set(key: string, answer: CachedAnswer, keptMs: number): void {
    this.delete(key)
    const kept: Kept = { answer, keptMs, forms: new Map() }
    if (sizeOf(kept) > this.#bytesMax) return
    this.#kept.set(key, kept)
    this.#bytes += sizeOf(kept)
    this.#makeRoom()
  }

  /** The other form of an answer that was made before; undefined where it was not, or another answer stands there. */
  form(key: string, answer: CachedAnswer, name: string): ConvertedAnswer | undefined {
    const kept = this.#kept.get(key)
    return kept?.answer === answer ? kept.forms.get(name) : undefined
  }

  /** Keeps another form of an answer, as long as the answer itself. */
  keepForm(key: string, answer: CachedAnswer, name: string, form: ConvertedAnswer): void {
    const kept = this.#kept.get(key)
    if (kept?.answer !== answer || kept.forms.size >= formsMax || kept.forms.has(name)) return
    if (sizeOf(kept) + form.body.length > this.#bytesMax) return
    kept.forms.set(name, form)
    this.#bytes += form.body.length
    this.#makeRoom()
  }

  #makeRoom(): void {
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= this.#bytesMax) return
      this.delete(oldest)
    }
  }

  delete(key: string): void {
    const kept = this.#kept.get(key)
    if (kept === undefined) return
    this.#kept.delete(key)
    this.#bytes -= sizeOf(kept)
  }
}

function sizeOf({ answer, forms }: Kept): number {
  let size = answer.body.length + frameBytes
  for (const { body } of forms.values()) size += body.length
  return size
}
