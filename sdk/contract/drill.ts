/**
 * Faults that a drill puts in the place of a target's answer: an error by its status, a connection that is refused,
 * nothing at all, only signs of life, an answer that breaks off at once, one that makes no sense.
 */
export const drillFaults = ['429', '500', '529', 'refused', 'stall', 'slow', 'cut', 'malformed'] as const
export type DrillFault = (typeof drillFaults)[number]
/** A drill as `x-signalbox-drill` says it: `500`, or `500; targets=2` for the first two targets of the selection. */
export interface Drill {
  readonly fault: DrillFault
  /** How many targets fail, from the first on. */
  readonly targets: number
}
