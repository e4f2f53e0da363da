import type { Target } from '../targets.ts'
import type { Breaker } from './breaker.ts'
import type { HealthBoard } from './health-board.ts'
import type { TargetHealth } from './target-health.ts'

export interface BreakerKeeperOptions {
  readonly board: HealthBoard
  readonly clock: () => number
  /** Whether the target's upstream answers: a request of our own, which nobody waits for and nobody pays. */
  readonly probe: (target: Target) => Promise<boolean>
  readonly tickMs?: number
}

const standardTickMs = 100
const probesMax = 16

/**
 * Looks after breakers that are not closed: probes what is open when its time has come, and lets come back what
 * answers. One timer, which runs only while there is something to look after.
 */
export class BreakerKeeper {
  readonly #options: BreakerKeeperOptions
  #timer: NodeJS.Timeout | undefined
  #probes = 0
  #isClosed = false

  constructor(options: BreakerKeeperOptions) {
    this.#options = options
  }

  /** Begins to look, where it does not yet. */
  wake(): void {
    if (this.#isClosed) return
    this.#timer ??= setInterval(() => this.#tick(), this.#options.tickMs ?? standardTickMs).unref()
  }

  close(): void {
    this.#isClosed = true
    this.#rest()
  }

  #rest(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #tick(): void {
    const { board, clock } = this.#options
    if (board.isCalm) {
      this.#rest()
      return
    }
    const nowMs = clock()
    const seen = new Set<Breaker>()
    for (const health of board.troubled) {
      const { breaker, connection } = health
      this.#look(connection.breaker, health, { nowMs, seen })
      // A model is asked for once its connection is there.
      if (!connection.breaker.isOpen) this.#look(breaker, health, { nowMs, seen })
    }
    board.refresh([])
  }

  #look(
    breaker: Breaker,
    health: TargetHealth,
    { nowMs, seen }: { readonly nowMs: number; readonly seen: Set<Breaker> },
  ): void {
    if (seen.has(breaker)) return
    seen.add(breaker)
    breaker.tick(nowMs)
    if (breaker.state !== 'open' || nowMs < breaker.probeAtMs || this.#probes >= probesMax) return
    breaker.beginProbe()
    this.#probes++
    void this.#probe(breaker, health.target)
  }

  async #probe(breaker: Breaker, target: Target): Promise<void> {
    const { board, clock, probe } = this.#options
    let isAlive = false
    try {
      isAlive = await probe(target)
    } catch {
      // Whatever went wrong, it has not answered.
    } finally {
      this.#probes--
      breaker.endProbe(isAlive, clock())
      board.refresh([breaker])
    }
  }
}
