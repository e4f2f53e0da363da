import type { Verdict } from '@signalbox/sdk/contract'
import { settleCall } from '../steps/settle.ts'
import { lastServing, type Trail } from '../trail.ts'
import type { AllowedCall } from '../way.ts'
import type { AnswerTap } from './answer-tap.ts'
import type { CacheVisit } from './cache-visit.ts'

/** How answers end that said all they had to say: the providers' own words. */
const wholeFinishes: ReadonlySet<string> = new Set([
  ...['stop', 'end_turn', 'stop_sequence', 'tool_calls', 'tool_use', 'function_call'],
  ...['STOP', 'completed', 'COMPLETE', 'TOOL_CALL', 'STOP_SEQUENCE'],
])

/**
 * Only whole answers are kept: none that failed, was cut, reached a limit, or is too large. Gives the clock time until
 * which it is kept; undefined where it is not.
 */
export function keepAnswer(
  tap: AnswerTap,
  { allowed, trail, parts, wish, key, incoming }: CacheVisit,
): number | undefined {
  const { call } = allowed
  const attempt = lastServing(trail)
  const { body, contentType } = tap
  if (tap.status !== 200 || body === undefined || contentType === undefined || attempt === undefined)
    return undefined
  if (trail.error !== undefined || trail.truncated || incoming.writer.gone) return undefined
  if (trail.verdicts.some(isDoubtful)) return undefined
  if (!attempt.winner || attempt.outcome !== 'ok') return undefined
  const isEnded = attempt.finish === undefined ? call.native !== undefined : wholeFinishes.has(attempt.finish)
  if (!isEnded) return undefined
  const nowMs = parts.clock()
  parts.answers.keep(key, {
    form: call.stream ? 'events' : 'whole',
    streamOptions: streamOptionsOf(allowed),
    contentType,
    identity: trail.identity,
    target: attempt.target.shownName,
    recordId: trail.id,
    storedMs: nowMs,
    expiresMs: nowMs + wish.ttlMs,
    costNanoUsd: costOfAnswer(trail)?.toString(),
    usage: attempt.usage ?? {},
    dropped: trail.dropped,
    body,
  })
  return nowMs + wish.ttlMs
}

/** What it saves to give the answer again: all that the call cost but for the cache itself. */
function costOfAnswer(trail: Trail): bigint | undefined {
  const attempts = trail.attempts.filter(({ purpose }) => purpose === undefined)
  return settleCall({ ...trail, attempts }).costNanoUsd
}

/** A guardrail did not let the answer go, or did not see it whole: the next call asks anew. */
const isDoubtful = ({ direction, level, verdict, action }: Verdict): boolean =>
  direction === 'output' &&
  level !== 'shadow' &&
  (verdict === 'error' || verdict === 'notScanned' || action === 'block' || action === 'refuse')

export const streamOptionsOf = ({ call }: AllowedCall): string =>
  call.stream ? JSON.stringify(call.json.stream_options ?? null) : ''
