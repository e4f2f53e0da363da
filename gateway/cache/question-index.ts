/** A question that was answered, as a point in the space of an embedding model. */
interface Question {
  readonly scope: string
  /** Of length one. */
  readonly vector: Float32Array
  readonly expiresMs: number
}

/** Questions of one scope: all of them are compared with a new one, which takes the time of other calls. */
const scopeMax = 256
/** What a question takes beside its vector. */
const frameBytes = 512
/** More numbers than any embedding model gives. */
const dimensionsMax = 8192

/** The vector with length one; undefined where it has none, or is none. */
export function normalised(vector: readonly number[]): Float32Array | undefined {
  if (vector.length === 0 || vector.length > dimensionsMax) return undefined
  const length = Math.hypot(...vector)
  if (!Number.isFinite(length) || length === 0) return undefined
  return Float32Array.from(vector, (value) => value / length)
}

/** Cosine of two vectors of length one, in parts per million; 0 for vectors of different models. */
function cosinePpm(one: Float32Array, other: Float32Array): number {
  if (one.length !== other.length) return 0
  let sum = 0
  for (let at = 0; at < one.length; at++) sum += (one[at] ?? 0) * (other[at] ?? 0)
  return Math.max(0, Math.min(1_000_000, Math.round(sum * 1_000_000)))
}

/**
 * Questions by their meaning, up to a number of bytes; the oldest makes room. Those of different scopes are never
 * compared: a scope stands for everything of a call but the words of its question.
 */
export class QuestionIndex {
  readonly #bytesMax: number
  /** By the key of the answer, the oldest first. */
  readonly #questions = new Map<string, Question>()
  readonly #scopes = new Map<string, Set<string>>()
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get bytes(): number {
    return this.#bytes
  }
  get size(): number {
    return this.#questions.size
  }

  /** Whether there is anything to compare a question with. */
  has(scope: string): boolean {
    return this.#scopes.has(scope)
  }

  /** The questions that mean the same by this threshold, the most alike first. */
  find(
    scope: string,
    vector: Float32Array,
    { thresholdPpm, nowMs }: { readonly thresholdPpm: number; readonly nowMs: number },
  ): readonly { readonly key: string; readonly similarityPpm: number }[] {
    const found: { key: string; similarityPpm: number }[] = []
    for (const key of [...(this.#scopes.get(scope) ?? [])]) {
      const question = this.#questions.get(key)
      if (question === undefined || question.expiresMs <= nowMs) {
        this.delete(key)
        continue
      }
      const similarityPpm = cosinePpm(question.vector, vector)
      if (similarityPpm >= thresholdPpm) found.push({ key, similarityPpm })
    }
    return found.sort((a, b) => b.similarityPpm - a.similarityPpm)
  }

  set(key: string, question: Question): void {
    this.delete(key)
    const size = sizeOf(question)
    if (size > this.#bytesMax) return
    this.#questions.set(key, question)
    this.#bytes += size
    const keys = this.#scopes.get(question.scope) ?? new Set()
    this.#scopes.set(question.scope, keys.add(key))
    const [oldest] = keys
    if (keys.size > scopeMax && oldest !== undefined) this.delete(oldest)
    for (const each of this.#questions.keys()) {
      if (this.#bytes <= this.#bytesMax) return
      this.delete(each)
    }
  }

  delete(key: string): void {
    const question = this.#questions.get(key)
    if (question === undefined) return
    this.#questions.delete(key)
    this.#bytes -= sizeOf(question)
    const keys = this.#scopes.get(question.scope)
    keys?.delete(key)
    if (keys?.size === 0) this.#scopes.delete(question.scope)
  }
}

const sizeOf = ({ vector }: Question): number => vector.byteLength + frameBytes
