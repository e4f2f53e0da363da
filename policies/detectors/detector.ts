import type { DetectorId, DetectorKind } from '@signalbox/sdk/contract'

/** A place in a text, `start` to `end` (not in it), in UTF-16 units. What stands there is never part of it. */
export interface Match<Kind extends string = string> {
  readonly kind: Kind
  readonly start: number
  readonly end: number
  /** Which of several forms: `es-dni` of a national id. */
  readonly scheme?: string
}
export interface Finding extends Match<DetectorKind> {
  readonly detector: DetectorId
}
export interface Scan<Kind extends string = DetectorKind> {
  /** By start; those of one detector do not overlap. At most `findingsMax`. */
  readonly findings: readonly Match<Kind>[]
  /** For detectors that judge a text as a whole. */
  readonly scorePpm?: number
}

/**
 * A pure scanner over a text, in time linear in its length. It knows no I/O, no clock and no state, and throws only
 * where it is broken.
 */
export interface Detector<Id extends DetectorId = DetectorId> {
  readonly id: Id
  readonly kinds: readonly DetectorKind<Id>[]
  /**
   * Longest match of each kind, the words before it that make it one included, in UTF-16 units: who screens a stream
   * and keeps so much back misses nothing and lets nothing through in halves. 0: not for streams, as the text as a
   * whole is judged.
   */
  readonly lookBehind: Readonly<Record<DetectorKind<Id>, number>>
  scan(text: string): Scan<DetectorKind<Id>>
}

/** Findings of one detector in one text; a text with more has no more of them named. */
export const findingsMax = 1000
