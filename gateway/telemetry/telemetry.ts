import type { CallRecord } from '@signalbox/sdk/contract'

/** Where a caller's trace stands, from `traceparent` and `tracestate` (W3C Trace Context). */
export interface ParentSpan {
  readonly traceId: string
  readonly spanId: string
  readonly sampled: boolean
  readonly traceState?: string
}
/** Where a call stands in a trace: ids are taken at its start, spans are made at its end. */
export interface CallSpanIds {
  readonly traceId: string
  readonly spanId: string
  readonly parent?: ParentSpan | undefined
}

/** Everything that spans and metrics of a call are made from. Times are epoch milliseconds, with fractions. */
export interface FinishedCall extends CallSpanIds {
  readonly record: CallRecord
  readonly startMs: number
  readonly endMs: number
  /** When the policies were asked. */
  readonly policy?: { readonly startMs: number; readonly endMs: number } | undefined
  /** The route as it is mounted: `/v1/chat/completions`. */
  readonly httpRoute: string
  readonly method: string
  /** Losses that were not named before the answer began: bugs. */
  readonly undeclaredLosses?: number
}

/** Makes traces and metrics of what the gateway does. */
export interface Telemetry {
  /** Takes a finished call. Never throws, never waits. */
  callEnded(call: FinishedCall): void
  /** Sends what is held back, for a few seconds at most. */
  shutdown(): Promise<void>
}
