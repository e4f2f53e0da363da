import type { CallRecord } from '@signalbox/sdk/contract'
import type { Logger } from '@signalbox/sdk/node'
import { logBug } from './log-bug.ts'
import type { GatewayIdentity } from './parts.ts'
import type { Recorder } from './recorder.ts'
import { makeRecord } from './steps/record-call.ts'
import { settleCall } from './steps/settle.ts'
import type { CallSpanIds, Telemetry } from './telemetry/telemetry.ts'
import type { Trail } from './trail.ts'

/** A call that is over. */
export interface EndedCall {
  readonly trail: Trail
  readonly spans: CallSpanIds
  readonly httpRoute: string
  readonly method: string
  /** What is found out of it only now, when its caller has his answer: writes it on the trail. */
  readonly lookOn?: () => void
}
export interface EndedCallsOptions {
  readonly identity: GatewayIdentity
  readonly recorder: Recorder
  readonly telemetry: Telemetry
  readonly log: Logger
  /** Calls wait for so many others, at most this long. */
  readonly batchMax?: number
  readonly delayMs?: number
}

const standardBatchMax = 64
const standardDelayMs = 10

/**
 * Makes the record, the spans and the metrics of calls that are over. Their sequences are taken at once, so that what
 * dies with the process is known to be missing; the rest is done for many calls together, a moment later: code that has
 * just run for one call runs twice as fast for the next, and no caller waits for it.
 */
export class EndedCalls {
  readonly #options: EndedCallsOptions
  readonly #batchMax: number
  readonly #delayMs: number
  #waiting: { readonly call: EndedCall; readonly sequence: number }[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(options: EndedCallsOptions) {
    this.#options = options
    this.#batchMax = options.batchMax ?? standardBatchMax
    this.#delayMs = options.delayMs ?? standardDelayMs
  }

  add(call: EndedCall): void {
    this.#waiting.push({ call, sequence: this.#options.recorder.nextSequence() })
    // After the answers of this turn.
    if (this.#waiting.length === this.#batchMax) setImmediate(() => this.flush())
    else this.#timer ??= setTimeout(() => this.flush(), this.#delayMs)
  }

  /** The record of a call that this gateway only heard of. */
  told(recordOf: (sequence: number) => CallRecord): void {
    const sequence = this.#options.recorder.nextSequence()
    let text: string | undefined
    try {
      text = JSON.stringify(recordOf(sequence))
    } catch (error) {
      logBug(this.#options.log, error)
    }
    this.#options.recorder.record(sequence, text)
  }

  /** Makes everything of the calls that wait. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const waiting = this.#waiting
    this.#waiting = []
    for (const { call, sequence } of waiting) this.#end(call, sequence)
  }

  #end({ trail, spans, httpRoute, method, lookOn }: EndedCall, sequence: number): void {
    const { identity, recorder, telemetry, log } = this.#options
    let text: string | undefined
    try {
      lookOn?.()
      const { gatewayId, incarnation } = identity
      const { traceId, spanId } = spans
      const origin = { gatewayId, incarnation, sequence, traceId, spanId }
      const made = makeRecord(trail, settleCall(trail), origin)
      text = made.text
      telemetry.callEnded({
        traceId,
        spanId,
        parent: spans.parent,
        record: made.record,
        startMs: trail.startMs,
        endMs: trail.endMs,
        policy: trail.evaluatedMs,
        undeclaredLosses: trail.undeclaredLosses,
        httpRoute,
        method,
      })
    } catch (error) {
      logBug(log, error, trail.id)
    }
    recorder.record(sequence, text)
  }
}
