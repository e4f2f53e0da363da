import type { RedisLink } from '../redis/redis-link.ts'
import { AnswerMemory } from './answer-memory.ts'
import { type CachedAnswer, packAnswer, unpackAnswer } from './cached-answer.ts'
import { QuestionIndex } from './question-index.ts'

export interface AnswerCacheOptions {
  readonly clock: () => number
  /** Memory for answers; 0 keeps none. */
  readonly bytesMax: number
  /** Where gateways share their answers; each keeps its own where left out. */
  readonly link?: RedisLink
}

/** An answer that is larger is not kept. */
export const answerBytesMax = 1_048_576
/** For so long an answer of a shared store is taken from memory without a look at what others have written since. */
const sharedTrustMs = 5000

/** Answers of earlier calls: in memory, and where it is there in the store that gateways share. */
export class AnswerCache {
  readonly counts = { hits: 0, misses: 0, stored: 0, coalesced: 0, similar: 0, savedNanoUsd: 0n }
  readonly memory: AnswerMemory
  /** Questions that answers in memory were given to, by their meaning; of this gateway alone. */
  readonly questions: QuestionIndex
  /** Calls under way whose answer will be kept, by key: others like them wait for it. */
  readonly running = new Map<string, Promise<void>>()
  readonly #options: AnswerCacheOptions

  constructor(options: AnswerCacheOptions) {
    this.#options = options
    this.memory = new AnswerMemory(options.bytesMax)
    this.questions = new QuestionIndex(Math.floor(options.bytesMax / 2))
  }

  /** The answer that is kept under a key, no older than this; without a shared store at once. */
  find(key: string, ageMsMax: number): CachedAnswer | undefined | Promise<CachedAnswer | undefined> {
    const nowMs = this.#options.clock()
    const { link } = this.#options
    const kept = this.memory.get(key, nowMs)
    const isFresh = kept !== undefined && nowMs - kept.answer.storedMs <= ageMsMax
    const isShared = link?.isUp === true
    if (isFresh && (!isShared || nowMs - kept.keptMs <= sharedTrustMs)) return kept.answer
    return link !== undefined && isShared ? this.#fetch(link, key, ageMsMax) : undefined
  }

  async #fetch(link: RedisLink, key: string, ageMsMax: number): Promise<CachedAnswer | undefined> {
    const packed = await link.ask(() => link.client.getBuffer(link.key('answer', key)))
    const answer = packed ? unpackAnswer(packed) : undefined
    const nowMs = this.#options.clock()
    if (answer === undefined || nowMs >= answer.expiresMs) return undefined
    this.memory.set(key, answer, nowMs)
    return nowMs - answer.storedMs <= ageMsMax ? answer : undefined
  }

  keep(key: string, answer: CachedAnswer): void {
    const nowMs = this.#options.clock()
    const { link } = this.#options
    this.counts.stored++
    this.memory.set(key, answer, nowMs)
    const ttlMs = Math.floor(answer.expiresMs - nowMs)
    if (link === undefined || ttlMs < 1) return
    link.ask(() => link.client.set(link.key('answer', key), packAnswer(answer), 'PX', ttlMs)).catch(() => {})
  }
}
