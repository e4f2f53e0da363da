import { setTimeout as wait } from 'node:timers/promises'
import { leasesPerRequestMax, type WindowBalance } from '@signalbox/sdk/contract'
import type { Logger } from '@signalbox/sdk/node'
import type { Clock } from '../clock.ts'
import type { HoldJournal } from './hold-journal.ts'
import type { LeasePool, OpenWish } from './lease-pool.ts'
import { isRefused, type LeaseReply, type LedgerLink } from './ledger-link.ts'
import type { MoneyCounts, MoneyTimes } from './money.ts'

export interface LedgerTalk {
  readonly link: LedgerLink
  readonly incarnation: string
  readonly clock: Clock
  readonly log: Logger
  readonly times: MoneyTimes
  readonly counts: MoneyCounts
  readonly signal: AbortSignal
  readonly journal: HoldJournal | undefined
  readonly noteWindows: (windows: readonly WindowBalance[]) => void
}
interface PoolWish {
  readonly pool: LeasePool
  readonly wish: OpenWish
}

/** What is left of a lease's time when the gateway stops taking from it: clocks differ, and replies take a while. */
export const usableShare = 0.9
/** Pauses between tries grow up to so many times the first. */
const pausesMax = 20

/**
 * Asks the ledger for leases. Wishes of one moment travel together; one that gets no answer is repeated with the same
 * id for as long as this gateway lives, so that a lost reply costs neither a second lease nor the first: what nobody
 * waits for any more is given back. Each is written to the journal before it goes out, so that the next run can say
 * that nothing was spent of what this one never heard of.
 */
export class LeaseWishes {
  readonly #talk: LedgerTalk & { readonly createId: () => string }
  #gathered: PoolWish[] = []
  readonly #running = new Set<Promise<void>>()

  constructor(talk: LedgerTalk & { readonly createId: () => string }) {
    this.#talk = talk
  }

  /** Asks for a pool, unless a wish of it is out already. */
  ask(pool: LeasePool): void {
    if (pool.wish !== undefined || this.#talk.signal.aborted) return
    if (this.#gathered.length === 0) queueMicrotask(() => this.#send())
    this.#gathered.push({ pool, wish: pool.nextWish(this.#talk.createId()) })
  }

  /** A wish is out whose answer nobody knows. */
  get isOpen(): boolean {
    return this.#running.size > 0
  }

  /** Resolves when no wish is out. */
  async idle(): Promise<void> {
    while (this.#running.size > 0 || this.#gathered.length > 0) {
      await Promise.all(this.#running)
      await Promise.resolve()
    }
  }

  #send(): void {
    while (this.#gathered.length > 0) {
      const running = this.#askFor(this.#gathered.splice(0, leasesPerRequestMax)).finally(() =>
        this.#running.delete(running),
      )
      this.#running.add(running)
    }
  }

  async #askFor(wishes: readonly PoolWish[]): Promise<void> {
    const { link, incarnation, times, signal, counts, log, journal } = this.#talk
    const body = {
      incarnation,
      wishes: wishes.map(({ pool, wish }) => ({
        leaseId: wish.leaseId,
        budgets: pool.set.budgets.map(({ id }) => id),
        need: String(wish.need),
        want: String(wish.want),
      })),
    }
    journal?.asked(wishes.map(({ wish }) => wish.leaseId))
    for (let tries = 1; !signal.aborted; tries++) {
      const sentMs = this.#talk.clock.monotonicMs()
      try {
        const reply = await link.lease(body, AbortSignal.any([signal, AbortSignal.timeout(times.requestMs)]))
        this.#answer(wishes, reply, { sentMs, isDoubtful: tries > 1 })
        return
      } catch (error) {
        counts.ledgerFailures++
        if (tries === 1) log.warn({ reason: String(error) }, 'the ledger did not answer a wish for leases')
        if (isRefused(error)) break
        await wait(times.backoffMs * Math.min(tries, pausesMax), undefined, { signal }).catch(() => {})
      }
    }
    for (const { pool } of wishes) {
      pool.wish = undefined
      pool.giveUp()
    }
  }

  #answer(
    wishes: readonly PoolWish[],
    reply: LeaseReply,
    { sentMs, isDoubtful }: { readonly sentMs: number; readonly isDoubtful: boolean },
  ): void {
    const { counts, clock, journal, noteWindows } = this.#talk
    noteWindows(reply.windows)
    const wallMs = clock.nowMs()
    for (const { pool, wish } of wishes) {
      const answer = reply.leases.find(({ leaseId }) => leaseId === wish.leaseId)
      const found = answer ?? { leaseId: wish.leaseId, granted: '0', expiresInMs: 0 }
      if (BigInt(found.granted) > 0n) counts.grants++
      else if (!isDoubtful) journal?.refused(found.leaseId)
      let windowEndMs = Number.POSITIVE_INFINITY
      for (const { budgetId, endMs } of reply.windows) {
        if (endMs === null || !pool.set.budgets.some(({ id }) => id === budgetId)) continue
        windowEndMs = Math.min(windowEndMs, clock.monotonicMs() + endMs - wallMs)
      }
      pool.answer(found, {
        ...{ deadlineMs: sentMs + found.expiresInMs * usableShare, windowEndMs, isDoubtful },
      })
    }
  }
}
