import type { Decision } from '@signalbox/sdk/contract'
import type { Call } from './call.ts'
import type { Incoming } from './incoming.ts'
import type { GatewayParts } from './parts.ts'
import type { CallOptions } from './steps/read-options.ts'
import type { Selected } from './steps/select.ts'
import type { Trail } from './trail.ts'

/** A call that may be served, and where. */
export interface AllowedCall {
  readonly call: Call
  readonly decision: Decision
  readonly options: CallOptions
  /** Estimate, for attempts that report no usage. */
  readonly inputTokens: number
  readonly selected: Selected
}
/** A call on its way out, with what its stages need. */
export interface Way {
  readonly allowed: AllowedCall
  readonly incoming: Incoming
  readonly trail: Trail
  readonly parts: GatewayParts
  /** Clock time by which the caller wants an end. */
  readonly deadlineMs: number
}
