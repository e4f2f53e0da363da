import type { SourceFiles } from '@signalbox/policies'
import { buildPolicyLine } from '../policy-line.ts'

/** A guardrail in JSON form, and how a constraint demands it. */
export interface GivenGuardrail {
  readonly id: string
  readonly direction: 'input' | 'output'
  readonly [member: string]: unknown
}
export interface GivenDemand {
  readonly onError?: 'block' | 'pass'
  readonly mode?: 'enforce' | 'audit'
  readonly stream?: 'hold' | 'window' | 'post'
}

/** Sources of a workspace in which `metadata.guard` names the guardrail that a call has to pass. */
export function guardedFiles(
  guardrails: readonly GivenGuardrail[],
  demands: Readonly<Record<string, GivenDemand>> = {},
  yaml = '',
): SourceFiles {
  const rules = guardrails.map(({ id, direction }) => ({
    id,
    when: { eq: [{ fact: 'request.metadata.guard', or: '' }, id] },
    then: { requireGuard: { id, direction, ...demands[id] } },
  }))
  return new Map([
    ['signalbox.yaml', `name: acme\nmetadata: { guard: { type: string } }\n${yaml}`],
    [
      'policies/guards.policy.json',
      JSON.stringify({ kind: 'constraint', id: 'guards', onError: 'deny', rules }),
    ],
    ...guardrails.map(
      (each) =>
        [`guardrails/${each.id}.guardrail.json`, JSON.stringify({ kind: 'guardrail', ...each })] as const,
    ),
  ])
}

export const buildGuardedLine = (...files: Parameters<typeof guardedFiles>) =>
  buildPolicyLine(guardedFiles(...files))
