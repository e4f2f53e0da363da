import type { Facts } from '@signalbox/sdk/contract'
import type { Call, UsageCounts } from '../call.ts'
import type { ResponseWriter } from '../response-writer.ts'
import type { Snapshot } from '../snapshot.ts'
import type { Caller } from '../steps/authenticate.ts'
import type { Selected } from '../steps/select.ts'
import type { Trail } from '../trail.ts'
import type { LimitedCall } from './call-limits.ts'
import { type Admission, LimitRefusal, type Limits } from './limits.ts'

/** A call that policies allow, before anything of it goes out. */
export interface DecidedCall {
  readonly call: Call
  readonly caller: Caller
  readonly facts: Facts
  readonly selected: Selected
  readonly snapshot: Snapshot
}

/** Output that is taken where the caller names no maximum, and the most that is taken where he names a large one. */
const outputTokensAssumed = 1024
const outputTokensMax = 4096

function limitedCall({ call, caller, facts, selected }: DecidedCall): LimitedCall {
  const { alias, requested } = facts.request.model
  const target = selected.order[0]?.target.name ?? requested
  const output = Math.min(call.summary.maxOutputTokens ?? outputTokensAssumed, outputTokensMax)
  const isAnswered = call.native === undefined || call.operation === 'completion'
  return {
    keyId: caller.key.id,
    models: alias === undefined ? [call.model, target] : [call.model, alias, target],
    target,
    metadata: facts.request.metadata,
    userId: facts.subject.userId,
    tokens: facts.request.estimate.inputTokens + (isAnswered ? output : 0),
  }
}

/** Notes what became of an admission: on the trail, for the end of the call, and on every answer of it. */
function note(admission: Admission | undefined, trail: Trail, writer: Pick<ResponseWriter, 'header'>): void {
  if (admission === undefined) return
  trail.admission = admission
  writeHeaders(admission.headers, writer)
}

function writeHeaders(headers: readonly string[], writer: Pick<ResponseWriter, 'header'>): void {
  for (let at = 0; at + 1 < headers.length; at += 2) writer.header(headers[at] ?? '', headers[at + 1] ?? '')
}

/**
 * The one admission by rate and concurrency, after the decision and before anything goes out. Waits only where gateways
 * share what they count. Counting tokens is not limited.
 * @throws Refusal `rate_limited` or `concurrency_limited`.
 */
export function admitCall(
  decided: DecidedCall,
  trail: Trail,
  writer: Pick<ResponseWriter, 'header'>,
  limits: Limits,
): undefined | Promise<void> {
  const { rateLimits } = decided.snapshot.state
  if (rateLimits === undefined || rateLimits.length === 0) return undefined
  if (decided.call.operation === 'countTokens') return undefined
  const { snapshot, caller, call } = decided
  try {
    const admission = limits.admit(snapshot, caller.key, () => limitedCall(decided), call.format)
    if (!(admission instanceof Promise)) {
      note(admission, trail, writer)
      return undefined
    }
    return admission.then(
      (told) => note(told, trail, writer),
      (error: unknown) => noteRefusal(error, trail, writer),
    )
  } catch (error) {
    noteRefusal(error, trail, writer)
  }
}

function noteRefusal(error: unknown, trail: Trail, writer: Pick<ResponseWriter, 'header'>): never {
  if (error instanceof LimitRefusal) {
    trail.refusedBy = error.limitId
    writeHeaders(error.headers, writer)
  }
  throw error
}

/** Tokens of input and output together, however they are billed. */
export function tokensOf(usage: UsageCounts | undefined): number {
  if (usage === undefined) return 0
  const { input = 0, output = 0, cacheRead = 0, cacheWrite5m = 0, cacheWrite1h = 0 } = usage
  return input + output + cacheRead + cacheWrite5m + cacheWrite1h
}

/** The call is over: gives its slots back and puts what it used in the place of what was guessed. */
export function endAdmission({ admission, attempts }: Trail): void {
  if (admission === undefined) return
  let tokens = 0
  for (const { usage } of attempts) tokens += tokensOf(usage)
  admission.end(tokens)
}
