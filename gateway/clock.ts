/** What time it is; handed in, so that tests can set it. */
export interface Clock {
  /** Milliseconds since 1970-01-01 UTC, with fractions. */
  nowMs(): number
  /** Milliseconds since some fixed moment; only ever grows. For durations that a set clock must not change. */
  monotonicMs(): number
}
/** Where the time comes from. */
export interface TimeSources {
  readonly wallMs: () => number
  readonly monotonicMs: () => number
}

const checkIntervalMs = 1000
/** A difference up to this is made up for bit by bit, so that no call sees time jump or run backwards. */
const stepMs = 1000
const slewPerCheckMs = 20

/**
 * The time of day as a steady count: finer than milliseconds, and free of the small steps that time services make.
 * Only where somebody sets the machine's clock by more than a second does it step too.
 */
export function createClock({ wallMs, monotonicMs }: TimeSources): Clock {
  let offsetMs = wallMs() - monotonicMs()
  let checkedMs = monotonicMs()
  return {
    monotonicMs,
    nowMs() {
      const steadyMs = monotonicMs()
      if (steadyMs - checkedMs >= checkIntervalMs) {
        checkedMs = steadyMs
        const errorMs = wallMs() - (offsetMs + steadyMs)
        offsetMs +=
          Math.abs(errorMs) > stepMs ? errorMs : Math.max(-slewPerCheckMs, Math.min(slewPerCheckMs, errorMs))
      }
      return offsetMs + steadyMs
    },
  }
}
