import type { CallRecord, Reason, RecordRow } from '@signalbox/sdk/contract'

/** `TIER_BLOCKED by acme/no-free, rule free: Free callers may not.` */
export function reasonText(reason: Reason): string {
  const who = reason.policy === '' ? '' : ` by ${reason.workspace}/${reason.policy}`
  const rule = reason.rule === '' ? '' : `, rule ${reason.rule}`
  const message = reason.message === undefined ? '' : `: ${reason.message}`
  return `${reason.code}${who}${rule}${message}`
}

/** The rules that took the last candidate away, where that is what denied; else the rule that denied first. */
export function decisiveReasons(reasons: readonly Reason[]): readonly Reason[] {
  const [first, ...others] = reasons
  if (first === undefined) return []
  return first.code === 'NO_ELIGIBLE_MODEL' && others.length > 0 ? others : [first]
}

/** A denial in one line; where nothing was left, the rules that took it away stand for the policy. */
export function denialText(reasons: readonly Reason[]): string {
  const [first] = reasons
  if (first === undefined) return 'denied'
  const decisive = decisiveReasons(reasons)
  if (decisive[0] === first) return reasonText(first)
  return `${first.code}: nothing is left after ${decisive.map(reasonText).join('; ')}`
}

export const headOf: Readonly<Record<RecordRow['effect'], string>> = {
  allow: 'ALLOW',
  deny: 'DENY',
  error: 'ERROR',
  none: 'NOT DECIDED',
}

/** What became of a call, in a line: `ALLOW smart → openai/gpt-5.5`. */
export function outcomeText({ row, body }: CallRecord): string {
  const head = headOf[row.effect]
  if (row.effect === 'allow') return `${head} ${row.modelRequested} → ${row.target ?? 'no target'}`
  const code = body.error?.code ?? row.errorCode ?? ''
  const why = row.effect === 'deny' ? denialText(body.decision?.reasons ?? []) : code
  return [head, row.modelRequested, `HTTP ${row.status}`, why].filter((part) => part !== '').join(' ')
}
