import { setTimeout as wait } from 'node:timers/promises'
import {
  type BatchChange,
  type BatchJob,
  type BatchWish,
  type ClaimedBatch,
  Refusal,
} from '@signalbox/sdk/contract'
import type { Logger } from '@signalbox/sdk/node'
import { isRefused } from '../money/ledger-link.ts'
import type { GatewayParts } from '../parts.ts'
import type { BatchLink, ClaimReply, OpenBatchReply, TellBody } from './batch-link.ts'
import { type Metered, meterBatch } from './meter-batch.ts'

export interface BatchTimes {
  /** Between two looks for jobs that are due, on average. */
  readonly lookMs: number
  /** Between two looks at one job; older ones are looked at less often. */
  readonly againMsMin: number
  readonly againMsMax: number
  /** What was not told is told again after this. */
  readonly retryMs: number
}
export const standardBatchTimes: BatchTimes = {
  lookMs: 15_000,
  againMsMin: 15_000,
  againMsMax: 600_000,
  retryMs: 2000,
}
export interface BatchKeeperOptions {
  readonly link: BatchLink
  readonly incarnation: string
  /** A number from 0 up to 1. */
  readonly random: () => number
  readonly log: Logger
  readonly times?: BatchTimes
}

/** Jobs that one gateway looks after at a time. */
const claimedMax = 4
/** When the gateway ends, looks that are under way get so long. */
const closeMs = 2000
/** Before a batch is deleted another gateway that meters it is waited for so often. */
const settleTriesMax = 10
/** Looks at a time: the regular one, and those that callers ask for. */
const looksMax = 8
const requestTimeoutMs = 15_000
/** A job is looked at after this share of its age: minutes for what takes a day. */
const ageShare = 1 / 20
/** News that wait for the control plane; what is beyond that strands, as it would with a gateway that is gone. */
const waitingMax = 1000
/** A caller that asks again and again wakes a job this often at most, and so many jobs are remembered. */
const wakeMs = 5000
const wokenMax = 1000

/**
 * Looks after batches until they are metered: those of its own calls and, where a job is due and nobody has it, those
 * of any gateway of the environment. What it knows is at the control plane alone, so a restart loses nothing.
 */
export class BatchKeeper {
  readonly #options: BatchKeeperOptions
  readonly #times: BatchTimes
  readonly #stop = new AbortController()
  readonly #woken = new Map<string, number>()
  #waiting: TellBody[] = []
  #timer: NodeJS.Timeout | undefined
  #telling: Promise<void> | undefined
  /** Jobs of which one look is under way, and looks. */
  readonly #busy = new Map<string, Promise<boolean>>()
  readonly #looks = new Set<Promise<void>>()
  #parts: GatewayParts | undefined

  constructor(options: BatchKeeperOptions) {
    this.#options = options
    this.#times = options.times ?? standardBatchTimes
  }

  /** Begins to look for jobs that are due, with these parts; gives them back. */
  startWith<Parts extends GatewayParts>(parts: Parts): Parts {
    this.#parts = parts
    this.#plan()
    return parts
  }

  #plan(): void {
    if (this.#stop.signal.aborted) return
    // Gateways that start together must not ask together ever after.
    const afterMs = this.#times.lookMs * (0.5 + this.#options.random())
    this.#timer = setTimeout(() => {
      void this.#look().finally(() => this.#plan())
    }, afterMs)
    this.#timer.unref()
  }

  #signal(): AbortSignal {
    return AbortSignal.any([this.#stop.signal, AbortSignal.timeout(requestTimeoutMs)])
  }

  /** Notes a job and keeps what it may cost. Throws where the control plane does not say that it does. */
  open(job: BatchJob, wishes: BatchWish[]): Promise<OpenBatchReply> {
    const { link, incarnation } = this.#options
    return link.openBatch({ incarnation, job, wishes }, this.#signal())
  }

  /** Says news of a job in the background, until they are heard. */
  tell(batchId: string, change: BatchChange): void {
    if (this.#waiting.length >= waitingMax) return
    const { incarnation } = this.#options
    this.#waiting.push({ incarnation, batchId, change, settlements: [] })
    this.#flush()
  }

  #flush(): void {
    this.#telling ??= this.#tellAll().finally(() => {
      this.#telling = undefined
      if (this.#waiting.length > 0 && !this.#stop.signal.aborted) {
        setTimeout(() => this.#flush(), this.#times.retryMs).unref()
      }
    })
  }

  async #tellAll(): Promise<void> {
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      try {
        await this.#options.link.tellBatch(first, AbortSignal.timeout(requestTimeoutMs))
      } catch (error) {
        if (!isRefused(error)) return
        this.#options.log.warn(
          { reason: String(error), batch: first.batchId },
          'news of a batch were refused',
        )
      }
      this.#waiting = this.#waiting.slice(1)
    }
  }

  /** Somebody has looked at a batch: if it is over it can be metered now. */
  wake(providerId: string): void {
    const nowMs = this.#parts?.clock() ?? 0
    if (nowMs - (this.#woken.get(providerId) ?? Number.NEGATIVE_INFINITY) < wakeMs) return
    if (this.#woken.size >= wokenMax) this.#woken.clear()
    this.#woken.set(providerId, nowMs)
    void this.#look([providerId])
  }

  /**
   * Meters a batch before its results go.
   * @throws Refusal `not_ready` where it is over and that cannot be done now.
   */
  async settle(providerId: string): Promise<void> {
    await this.#telling
    const parts = this.#parts
    if (parts === undefined) return
    for (let tries = 0; tries < settleTriesMax; tries++) {
      const claimed = await this.#askFor([providerId]).catch(() => undefined)
      if (claimed === undefined) break
      const looked = await Promise.all(claimed.batches.map((each) => this.#once(each, parts)))
      if (looked.includes(false)) break
      if (!claimed.elsewhere) return
      await wait(this.#times.retryMs / 2)
    }
    const message = 'The results of the batch are not metered yet. Try again.'
    throw new Refusal('not_ready', { message, retryAfterS: 5 })
  }

  #look(providerIds?: string[]): Promise<void> {
    if (this.#looks.size >= looksMax) return Promise.resolve()
    const look = this.#claim(providerIds).finally(() => this.#looks.delete(look))
    this.#looks.add(look)
    return look
  }

  async #claim(providerIds?: string[]): Promise<void> {
    const parts = this.#parts
    if (parts === undefined || this.#stop.signal.aborted) return
    const { log } = this.#options
    try {
      await this.#telling
      const { batches } = await this.#askFor(providerIds)
      await Promise.all(batches.map((claimed) => this.#once(claimed, parts)))
    } catch (error) {
      if (!this.#stop.signal.aborted) log.debug({ reason: String(error) }, 'batches could not be asked for')
    }
  }

  #askFor(providerIds?: string[]): Promise<ClaimReply> {
    const { link, incarnation } = this.#options
    const wanted = { incarnation, max: claimedMax, ...(providerIds !== undefined && { providerIds }) }
    return link.claimBatches(wanted, this.#signal())
  }

  /** A run that has a job already may be given it again. Gives whether it could be looked at. */
  #once(claimed: ClaimedBatch, parts: GatewayParts): Promise<boolean> {
    const { batchId } = claimed.job
    const busy = this.#busy.get(batchId)
    if (busy !== undefined) return busy
    const look = this.#lookAfter(claimed, parts).finally(() => this.#busy.delete(batchId))
    this.#busy.set(batchId, look)
    return look
  }

  async #lookAfter(claimed: ClaimedBatch, parts: GatewayParts): Promise<boolean> {
    const { link, incarnation, log } = this.#options
    const { batchId } = claimed.job
    const say = async (change: BatchChange, settlements: TellBody['settlements'] = []): Promise<boolean> => {
      const { held } = await link.tellBatch({ incarnation, batchId, change, settlements }, this.#signal())
      return held
    }
    try {
      const metered = await meterBatch(claimed, parts, {
        signal: this.#stop.signal,
        take: (settlements) => say({ type: 'metering' }, settlements),
      })
      if (metered === undefined) await say({ type: 'running', againInMs: this.#againMs(claimed, parts) })
      else if (await say(endOf(metered))) {
        log.info({ batch: batchId, lines: metered.lines, outcome: metered.outcome }, 'a batch is metered')
      }
      return true
    } catch (error) {
      if (!this.#stop.signal.aborted)
        log.warn({ reason: String(error), batch: batchId }, 'a batch could not be metered yet')
      const again: BatchChange = { type: 'running', againInMs: this.#againMs(claimed, parts) }
      await link
        .tellBatch(
          { incarnation, batchId, change: again, settlements: [] },
          AbortSignal.timeout(requestTimeoutMs),
        )
        // Its claim ends by itself.
        .catch(() => undefined)
      return false
    }
  }

  #againMs({ job }: ClaimedBatch, { clock }: GatewayParts): number {
    const { againMsMin, againMsMax } = this.#times
    const ageMs = Math.max(0, clock() - job.createdMs)
    const spanMs = Math.min(againMsMax, Math.max(againMsMin, ageMs * ageShare))
    return Math.round(spanMs * (0.75 + this.#options.random() / 2))
  }

  /** Ends what runs, and says once more what is not heard yet. */
  async close(): Promise<void> {
    this.#stop.abort()
    clearTimeout(this.#timer)
    // What a provider is slow to send is read again by who claims the job next.
    await Promise.race([Promise.all(this.#looks), wait(closeMs, undefined, { ref: false })])
    await this.#telling
    if (this.#waiting.length > 0) await this.#tellAll()
  }
}

function endOf({ outcome, lines, settled }: Metered): BatchChange {
  const sums = [...settled].map(([leaseId, amount]) => ({ leaseId, amount: String(amount) }))
  return { type: 'ended', outcome, settled: sums, metered: lines }
}
