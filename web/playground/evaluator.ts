import type { Vocabulary } from '@signalbox/policies/engine'
import type { Build, ParamsOfCall, Question, Reply, TriedFacts } from './messages.ts'

/** Fuel ends every evaluation long before; a worker that is silent for so long is ended all the same. */
const timeoutMs = 10_000

type Asked = Question extends infer Each ? (Each extends Question ? Omit<Each, 'id'> : never) : never
interface Waiting {
  readonly resolve: (reply: Reply) => void
  readonly reject: (error: Error) => void
  readonly timer: ReturnType<typeof setTimeout>
}

/** The engine in its worker, as the page sees it. */
export class Evaluator {
  #worker: Worker | undefined
  #loaded: string | undefined
  #nextId = 1
  readonly #waiting = new Map<number, Waiting>()

  /** Decides facts with a build. @throws Error with what to tell the author. */
  async run(
    build: Build,
    catalogue: unknown,
    call: { given: unknown; params: ParamsOfCall },
  ): Promise<TriedFacts> {
    if (this.#loaded !== build.digest) await this.load(build, catalogue)
    const reply = await this.#ask({ kind: 'run', ...call })
    if ('tried' in reply) return reply.tried
    throw new Error('the worker answered something else')
  }

  async load(build: Build, catalogue: unknown): Promise<Vocabulary> {
    const reply = await this.#ask({ kind: 'load', build, catalogue })
    if (!('vocabulary' in reply)) throw new Error('the worker answered something else')
    this.#loaded = build.digest
    return reply.vocabulary
  }

  /** Ends the worker; the next question starts another. */
  close(reason = 'the page was left'): void {
    this.#worker?.terminate()
    this.#worker = undefined
    this.#loaded = undefined
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer)
      reject(new Error(reason))
    }
    this.#waiting.clear()
  }

  async #ask(asked: Asked): Promise<Reply> {
    const worker = this.#started()
    const id = this.#nextId++
    const reply = await new Promise<Reply>((resolve, reject) => {
      const timer = setTimeout(() => this.close('the evaluation took too long and was stopped'), timeoutMs)
      this.#waiting.set(id, { resolve, reject, timer })
      worker.postMessage({ ...asked, id })
    })
    if ('failed' in reply) throw new Error(reply.failed)
    return reply
  }

  #started(): Worker {
    if (this.#worker !== undefined) return this.#worker
    const worker = new Worker(new URL('./engine.worker.ts', import.meta.url), { type: 'module' })
    worker.addEventListener('message', ({ data }: MessageEvent<Reply>) => {
      const waiting = this.#waiting.get(data.id)
      if (waiting === undefined) return
      clearTimeout(waiting.timer)
      this.#waiting.delete(data.id)
      waiting.resolve(data)
    })
    worker.addEventListener('error', (event) =>
      this.close(event.message || 'the engine could not be started'),
    )
    this.#worker = worker
    return worker
  }
}
