import { codeOfAction } from '@signalbox/policies'
import { type GuardrailAction, Refusal, type Verdict } from '@signalbox/sdk/contract'
import type { Guard } from './guard.ts'
import type { Outcome } from './judge-text.ts'

/** Why a call does not go on, and how its caller is told. */
export interface Stop {
  readonly refusal: Refusal
  /** An answer that says so, in place of an error. */
  readonly decline?: { readonly message: string; readonly as: 'refusal' | 'text' }
}

const messageOfFailure = 'A guardrail could not check the text.'
const verdictsMax = 128

/** The name of an action. */
function actionNameOf(action: GuardrailAction | undefined): Verdict['action'] {
  if (action === undefined) return 'none'
  if ('block' in action) return 'block'
  if ('refuse' in action) return 'refuse'
  return 'redact' in action ? 'redact' : 'flag'
}

/** Whether a guard may act on a call. */
export const enforces = ({ level, skipped }: Guard): boolean => level === 'enforce' && !skipped

function blocked(guard: Guard, code: string | undefined, message: string | undefined, rule = ''): Refusal {
  return new Refusal('guardrail_blocked', {
    detail: `guardrail ${guard.id}/${rule}`,
    ...(code !== undefined && { policyCode: code }),
    ...(message !== undefined && { message }),
  })
}

/**
 * Why an outcome stops the call; undefined where it does not. `hasTools`: the caller is an agent, for whom an answer
 * like any other is safer than a form of declining that it may not know.
 */
export function stopOf(guard: Guard, outcome: Outcome, hasTools: boolean): Stop | undefined {
  if (!enforces(guard)) return undefined
  const { verdict, action, code, rule, error } = outcome
  if (verdict === 'error') {
    if (guard.onError === 'pass') return undefined
    const detail = `guardrail ${guard.id}: ${error ?? 'error'}`
    return { refusal: new Refusal('guardrail_failed', { message: messageOfFailure, detail }) }
  }
  if (action === undefined || verdict === 'pass') return undefined
  if ('block' in action) return { refusal: blocked(guard, code, action.block.message, rule) }
  if (!('refuse' in action)) return undefined
  const { message, as = hasTools ? 'text' : 'refusal' } = action.refuse
  return { refusal: blocked(guard, codeOfAction(action), message, rule), decline: { message, as } }
}

/** What a verdict is of. */
export interface Seen {
  readonly scannedChars: number
  readonly deliveredChars: number
  readonly startMs: number
  readonly endMs: number
  readonly attempt?: number
  readonly stream?: Verdict['stream']
  /** What was done, where that is not what the outcome says. */
  readonly done?: Verdict['action']
}

/** A verdict as the record holds it: `pass` only where all that went on was scanned. */
export function verdictOf(guard: Guard, outcome: Outcome, seen: Seen): Verdict {
  const { compiled, level } = guard
  const { scannedChars, deliveredChars, startMs, endMs, attempt, stream, done } = seen
  const isUnseen = outcome.verdict === 'pass' && scannedChars < deliveredChars
  const says = actionNameOf(outcome.action)
  const acts = enforces(guard) && outcome.verdict === 'fail'
  return {
    guardrail: guard.id,
    workspace: guard.workspace,
    direction: compiled.direction,
    level,
    verdict: isUnseen ? 'notScanned' : outcome.verdict,
    action: done ?? (acts ? says : 'none'),
    ...(outcome.code !== undefined && { code: outcome.code }),
    ...(outcome.rule !== undefined && { rule: outcome.rule }),
    ...(outcome.error !== undefined && { error: outcome.error.slice(0, 64) }),
    ...(attempt !== undefined && { attempt }),
    ...(stream !== undefined && { stream }),
    hits: outcome.hits,
    scannedChars,
    deliveredChars,
    ...(Object.keys(outcome.annotations).length > 0 && { annotations: { ...outcome.annotations } }),
    fuel: outcome.fuel,
    startMs,
    durationMs: Math.max(0, Math.round((endMs - startMs) * 1000) / 1000),
  }
}

/** A guardrail that its sampling left out. */
export function skippedVerdict(guard: Guard, nowMs: number): Verdict {
  const none = { scannedChars: 0, deliveredChars: 0, startMs: nowMs, endMs: nowMs }
  const outcome: Outcome = { verdict: 'pass', spans: [], hits: 0, fuel: 0, annotations: {} }
  return { ...verdictOf(guard, outcome, none), verdict: 'skipped' }
}

/** Keeps a verdict, as far as there is room. */
export function note(verdicts: Verdict[], verdict: Verdict): void {
  if (verdicts.length < verdictsMax) verdicts.push(verdict)
}
