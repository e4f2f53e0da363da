import type { SemanticCache } from '@signalbox/sdk/contract'
import { type Asking, asideTarget, askAside } from '../ask-aside.ts'
import { decode } from '../steps/decode.ts'
import { serving, type Target } from '../targets.ts'
import { asArray, asObject } from '../wire/json-value.ts'
import { normalised, type QuestionIndex } from './question-index.ts'

/** What a question is embedded for may not take longer than an answer is worth. */
const embedMs = 3000

/** A question, and what it is compared by. */
export interface SimilarInput {
  readonly text: string
  /** Stands for everything of the call but the words of its question. */
  readonly scope: string
  readonly wish: SemanticCache
  /** Clock time by which the caller wants an end; infinity where he does not say. */
  readonly deadlineMs: number
}

/** The model that embeds; undefined where it cannot be asked, or does not answer of late. */
export function embedderOf(wish: SemanticCache, asking: Asking): Target | undefined {
  try {
    const target = asideTarget(wish.model, asking)
    return asking.parts.health.sightOf(target).state === 'down' ? undefined : target
  } catch {
    return undefined
  }
}

/** Finds answers to questions that mean the same as one. It is embedded once, and only where that can help. */
export class SimilarAnswers {
  readonly #input: SimilarInput
  readonly #target: Target
  readonly #asking: Asking
  readonly #scope: string
  #vector: Promise<Float32Array | undefined> | undefined

  constructor(input: SimilarInput, target: Target, asking: Asking) {
    this.#input = input
    this.#target = target
    this.#asking = asking
    // Points of two models lie in two spaces.
    this.#scope = `${input.scope} ${target.name}`
  }

  /** Keys of answers, the most alike first. */
  async find(): Promise<ReturnType<QuestionIndex['find']>> {
    const { clock } = this.#asking.parts
    if (!this.#questions.has(this.#scope)) return []
    const vector = await this.#embedded()
    const { thresholdPpm } = this.#input.wish
    return vector === undefined
      ? []
      : this.#questions.find(this.#scope, vector, { thresholdPpm, nowMs: clock() })
  }

  /** Notes that an answer to the question is kept under this key. */
  async keep(key: string, expiresMs: number): Promise<void> {
    const vector = await this.#embedded()
    if (vector !== undefined) this.#questions.set(key, { scope: this.#scope, vector, expiresMs })
  }

  forget(key: string): void {
    this.#questions.delete(key)
  }

  get #questions(): QuestionIndex {
    return this.#asking.parts.answers.questions
  }

  #embedded(): Promise<Float32Array | undefined> {
    // Without a vector the call goes its way as if nobody had asked for this.
    this.#vector ??= this.#embed().catch(() => undefined)
    return this.#vector
  }

  async #embed(): Promise<Float32Array | undefined> {
    const { parts } = this.#asking
    const dialect = parts.dialects.get('openai')
    if (dialect === undefined) return undefined
    const raw = Buffer.from(JSON.stringify({ model: this.#target.name, input: this.#input.text }))
    const call = decode(raw, dialect, { operation: 'embeddings' })
    const { provider } = serving(this.#target, call)
    const deadlineMs = Math.min(parts.clock() + embedMs, this.#input.deadlineMs)
    const question = { call, target: this.#target, deadlineMs, mark: { purpose: 'cache' as const } }
    return askAside(
      {
        ...question,
        read: ({ json }, attempt) => {
          attempt.usage = provider.readUsage(json)
          return vectorOf(provider.mapAnswer?.(json, call) ?? json)
        },
      },
      this.#asking,
    )
  }
}

/** The first vector of an embeddings answer in OpenAI's form. */
function vectorOf(json: unknown): Float32Array | undefined {
  const [first] = asArray(asObject(json)?.data)
  const numbers = asArray(asObject(first)?.embedding)
  return numbers.every((value) => typeof value === 'number') ? normalised(numbers as number[]) : undefined
}
