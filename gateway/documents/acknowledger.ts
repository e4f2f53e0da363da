import { setTimeout as wait } from 'node:timers/promises'
import type { DocumentKind } from '@signalbox/sdk/contract'
import type { Logger } from '@signalbox/sdk/node'
import { Backoff } from './backoff.ts'
import { ControlPlaneError } from './control-plane-error.ts'
import type { Acknowledgement, ControlPlaneLink } from './control-plane-link.ts'
import { reasonOf } from './rejection.ts'

const triesMax = 4
const backoffMaxMs = 4000

/**
 * Tells the control plane what became of documents, beside the taking of the next one. Of a kind only the newest word
 * waits; one that cannot be delivered is said again at the next meeting.
 */
export class Acknowledger {
  readonly #options: AcknowledgerOptions
  readonly #waiting = new Map<DocumentKind, Acknowledgement>()
  #running: Promise<void> | undefined

  constructor(options: AcknowledgerOptions) {
    this.#options = options
  }

  tell(body: Omit<Acknowledgement, 'incarnation'>): void {
    this.#waiting.set(body.kind, { incarnation: this.#options.incarnation, ...body })
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
    })
  }

  async #run(): Promise<void> {
    for (;;) {
      const [next] = this.#waiting.values()
      if (next === undefined || this.#options.signal.aborted) return
      this.#waiting.delete(next.kind)
      await this.#deliver(next)
    }
  }

  async #deliver(body: Acknowledgement): Promise<void> {
    const { link, signal, random, log, backoffBaseMs } = this.#options
    const backoff = new Backoff({ baseMs: backoffBaseMs, maxMs: backoffMaxMs, random })
    for (let tries = 1; !signal.aborted && !this.#waiting.has(body.kind); tries++) {
      try {
        await link.acknowledge(body, signal)
        return
      } catch (error) {
        const refused = error instanceof ControlPlaneError && error.status > 0
        if (tries >= triesMax || refused) {
          log.warn({ kind: body.kind, reason: reasonOf(error) }, 'an acknowledgement was not delivered')
          return
        }
        await wait(backoff.nextMs(), undefined, { signal }).catch(() => {})
      }
    }
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    await this.#running
  }
}

export interface AcknowledgerOptions {
  readonly link: ControlPlaneLink
  readonly incarnation: string
  readonly signal: AbortSignal
  readonly random: () => number
  readonly log: Logger
  readonly backoffBaseMs: number
}
