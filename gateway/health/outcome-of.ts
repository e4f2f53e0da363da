import type { AttemptTrail } from '../trail.ts'
import type { AttemptFailure } from '../upstream/judge-failure.ts'
import type { Outcome } from './target-health.ts'

/** What says that nobody listens there, or that there is no such host. */
const refusals = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH'])
/** What says something of this machine, not of the other. */
const ownFaults = new Set(['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS', 'ENOMEM'])
const unknown: Outcome = { kind: 'unknown' }

function ofError({ status, target }: AttemptTrail, failure: AttemptFailure | undefined): Outcome {
  const errorClass = failure?.errorClass
  if (status === 429 || errorClass === 'rateLimit') {
    const waitS = failure?.refusal.retryAfterS
    // Of several keys only the one that was used has to rest.
    const hasOthers = (target.connection.pool?.length ?? 0) > 1
    return waitS === undefined || hasOthers ? unknown : { kind: 'limited', waitMs: waitS * 1000 }
  }
  const isServers = status >= 500 || errorClass === 'overload' || errorClass === 'timeout'
  // An error event in a stream, or behind a 200, is the server's own; a refusal (4xx) shows that it is there.
  return isServers || status < 400 ? { kind: 'bad' } : { kind: 'good' }
}

/**
 * What an attempt that is over says of its target. A caller who gave too little time, or left, says nothing of it;
 * nor does a call that never went out.
 */
export function outcomeOf(
  attempt: AttemptTrail,
  failure: AttemptFailure | undefined,
  callerDeadlineMs: number,
): Outcome {
  const { outcome, startMs, firstByteMs, endMs, usage } = attempt
  switch (outcome) {
    case 'ok':
    case 'cut':
      return {
        kind: 'good',
        ...(firstByteMs > 0 && { firstTokenMs: firstByteMs - startMs, flowMs: endMs - firstByteMs }),
        ...(usage?.output !== undefined && { outputTokens: usage.output }),
      }
    case 'unavailable': {
      const detail = failure?.refusal.detail ?? ''
      if (refusals.has(detail)) return { kind: 'refused' }
      return failure?.errorClass === undefined || ownFaults.has(detail) ? unknown : { kind: 'bad' }
    }
    case 'timeout':
      return endMs >= callerDeadlineMs ? unknown : { kind: 'bad' }
    case 'reset':
      return { kind: 'bad' }
    case 'invalid':
      return attempt.sent ? { kind: 'bad' } : unknown
    case 'error':
      return ofError(attempt, failure)
    case 'aborted':
      return unknown
  }
}
