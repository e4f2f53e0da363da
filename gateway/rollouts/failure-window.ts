import type { Arm, PolicyTripwire } from '@signalbox/sdk/contract'

interface Slot {
  readonly number: number
  readonly calls: Record<Arm, number>
  readonly failed: Record<Arm, number>
}
/** What was counted of both arms in a window. */
export type Counted = Pick<Slot, 'calls' | 'failed'>

/** A window is counted in so many parts; what is older than all of them is forgotten. */
const slots = 12
const million = 1_000_000
const none = (): Record<Arm, number> => ({ stable: 0, candidate: 0 })

/** Calls of both arms and failures of their policies, over the last moments. */
export class FailureWindow {
  readonly #slotMs: number
  readonly #tripwire: PolicyTripwire
  #slots: Slot[] = []

  constructor(tripwire: PolicyTripwire) {
    this.#tripwire = tripwire
    this.#slotMs = tripwire.windowMs / slots
  }

  note(arm: Arm, failed: boolean, nowMs: number): void {
    const number = Math.floor(nowMs / this.#slotMs)
    let slot = this.#slots.at(-1)
    if (slot === undefined || slot.number !== number) {
      slot = { number, calls: none(), failed: none() }
      this.#slots.push(slot)
      this.#slots = this.#slots.filter((each) => each.number > number - slots)
    }
    slot.calls[arm]++
    if (failed) slot.failed[arm]++
  }

  counted(): Counted {
    const sum = { calls: none(), failed: none() }
    for (const { calls, failed } of this.#slots) {
      for (const arm of ['stable', 'candidate'] as const) {
        sum.calls[arm] += calls[arm]
        sum.failed[arm] += failed[arm]
      }
    }
    return sum
  }

  /** Whether the candidate fails often, and by so much more often than stable in the same time. */
  isBreached(): boolean {
    const { calls, failed } = this.counted()
    if (failed.candidate < this.#tripwire.calls) return false
    const share = (arm: Arm): number => (calls[arm] === 0 ? 0 : (failed[arm] / calls[arm]) * million)
    return share('candidate') >= share('stable') + this.#tripwire.ppm
  }
}
