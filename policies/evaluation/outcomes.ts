import { type Effect, type ErrorCode, errorTable, type OnError, type Reason } from '@signalbox/sdk/contract'
import type { Answer, FailureKind } from './ask-layer.ts'
import { checkEffects } from './effect-shape.ts'
import type { LayerPolicy, LayerRule } from './layer.ts'

/** A rule that held, and what it says: checked, whether it came with the version or out of the sandbox just now. */
export interface SaidByRule {
  readonly rule: LayerRule
  readonly effects: readonly Effect[]
  readonly fixed: boolean
}
/** A rule, or a whole policy, that broke. */
export interface Failure {
  readonly policy: LayerPolicy
  readonly rule: LayerRule | null
  readonly kind: FailureKind
  readonly message: string
  readonly onError: OnError | undefined
}
/** What became of one policy that was asked. */
export interface PolicyOutcome {
  readonly policy: LayerPolicy
  readonly trace: string
  readonly said: readonly SaidByRule[]
  readonly failures: readonly Failure[]
}

export const failureCodes = {
  timeout: 'policy_timeout',
  memory: 'policy_memory',
  exception: 'policy_exception',
  invalid: 'policy_invalid_decision',
} as const satisfies Record<FailureKind, ErrorCode>
const failureMessageMax = 512

/** A failure at its place in the sources: `policies/a.policy.ts:12 rule "x": TypeError: …`. */
export function failureOf(
  policy: LayerPolicy,
  rule: LayerRule | null,
  what: { kind: FailureKind; message: string },
): Failure {
  const place = rule === null ? `${policy.file}:` : `${policy.file}:${rule.line} rule "${rule.id}":`
  // An author's text may hold, or be cut to, half a character, which a decision cannot hold.
  const message = `${place} ${what.message}`.slice(0, failureMessageMax).toWellFormed()
  return { policy, rule, kind: what.kind, message, onError: rule?.onError ?? policy.onError }
}

/** The reason a failure gives for a denial: the operator reads why, the caller only that. */
export function reasonOfFailure({ policy, rule, kind, message }: Failure): Reason {
  const code = failureCodes[kind]
  return {
    code,
    policy: policy.id,
    rule: rule?.id ?? '',
    workspace: policy.workspace,
    http: errorTable[code].status,
    audience: 'operator',
    message,
  }
}

/** Whether a failing constraint lets the call pass: only where its author said so, and only for an exception. */
export function isPassedOver({ kind, onError }: Failure): boolean {
  return kind === 'exception' && onError === 'continue'
}

/** What is wrong with effects beyond their shape, for the names that a policy gives at run time. */
function unknownGuardrail(effects: readonly Effect[], policy: LayerPolicy): string | undefined {
  const demanded = effects.flatMap((effect) => ('requireGuard' in effect ? [effect.requireGuard.id] : []))
  return demanded.find((id) => !policy.guardrails.has(id))
}

/** Whether all texts in a JSON value are whole characters; what is not has no canonical form. */
function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed()
  if (typeof value !== 'object' || value === null) return true
  return Object.entries(value).every(([name, member]) => name.isWellFormed() && isWellFormed(member))
}

/** What is wrong with effects that a rule says only now. */
function faultOf(own: readonly unknown[], policy: LayerPolicy): string | undefined {
  const [finding] = checkEffects(own, policy.kind, { features: policy.features })
  if (finding !== undefined) return finding.message
  if (!isWellFormed(own)) return 'a text in it is not well-formed: it has half of a surrogate pair'
  // The shape was checked: these are effects.
  const unknown = unknownGuardrail(own as readonly Effect[], policy)
  return unknown === undefined ? undefined : `unknown guardrail "${unknown}"`
}

/** Reads an answer of the sandbox. Effects that came with it are checked here; nothing of it is trusted before. */
export function readAnswer({ policy, trace, matched, broken, trapped }: Answer): PolicyOutcome {
  const said: SaidByRule[] = []
  const failures: Failure[] = []
  if (trapped !== undefined) failures.push(failureOf(policy, null, trapped))
  for (const [index, kind, message] of broken) {
    failures.push(failureOf(policy, policy.rules[index] ?? null, { kind, message }))
  }
  for (const entry of matched) {
    const [index, own] = typeof entry === 'number' ? [entry, undefined] : entry
    const rule = policy.rules[index]
    if (rule === undefined) throw new Error(`policy "${policy.id}" has no rule ${index}`)
    const effects = own ?? rule.effects ?? []
    const fault = own === undefined ? undefined : faultOf(own, policy)
    // Checked just now, or when the version was made.
    const checked = effects as readonly Effect[]
    if (fault !== undefined) {
      failures.push(failureOf(policy, rule, { kind: 'invalid', message: fault }))
    } else said.push({ rule, effects: checked, fixed: own === undefined })
  }
  return { policy, trace, said, failures }
}
