import type { Evaluation } from '@signalbox/policies'
import type { Decision, Reason } from '@signalbox/sdk/contract'
import { describe, expect, it } from 'vitest'
import { allowed, allowedUnguarded } from '../../../gateway/steps/decide.ts'
import { allow, deny } from '../../support/memory-snapshot.ts'

const evaluationOf = (decision: Decision, rest: Partial<Evaluation> = {}): Evaluation => ({
  decision,
  policies: [],
  fuel: 1,
  evaluationUs: 1,
  decisionJson: '',
  decisionDigest: '',
  ...rest,
})
const reason = (rest: Partial<Reason>): Reason => ({
  code: 'TIER_BLOCKED',
  policy: 'no-free',
  rule: 'free',
  workspace: 'acme',
  audience: 'caller',
  ...rest,
})
const refusal = (evaluation: Evaluation): unknown => {
  try {
    return allowed(evaluation)
  } catch (error) {
    return error
  }
}

describe('a decision', () => {
  it('that allows has a plan', () => {
    const plan = { target: 'openai/gpt-5.2' }
    expect(allowed(evaluationOf(allow(plan))).plan).toBe(plan)
    expect(refusal(evaluationOf(allow(undefined)))).toMatchObject({
      code: 'policy_invalid_decision',
      status: 503,
    })
  })

  it("that denies has the policy's own code, status and message", () => {
    const error = refusal(evaluationOf(deny([reason({ http: 402, message: 'Pay first.' })])))
    expect(error).toMatchObject({
      code: 'policy_denied',
      publicCode: 'TIER_BLOCKED',
      status: 402,
      message: 'Pay first.',
    })
  })

  it('that denies is a 403 where the policy says nothing else', () => {
    expect(refusal(evaluationOf(deny([reason({})])))).toMatchObject({ status: 403 })
    const none = refusal(evaluationOf(deny([reason({ code: 'NO_ELIGIBLE_MODEL', policy: '', rule: '' })])))
    expect(none).toMatchObject({ code: 'no_eligible_model', publicCode: 'NO_ELIGIBLE_MODEL', status: 403 })
  })

  it('keeps from the caller what is meant for operators', () => {
    const hidden = reason({ audience: 'operator', code: 'FRAUD_SUSPECTED', message: 'see case 7', http: 451 })
    const error = refusal(evaluationOf(deny([hidden])))
    expect(error).toMatchObject({
      publicCode: 'policy_denied',
      status: 451,
      message: 'A policy denied the call.',
    })
    const mixed = refusal(evaluationOf(deny([hidden, reason({})])))
    expect(mixed).toMatchObject({ publicCode: 'TIER_BLOCKED', status: 403 })
  })

  it('that our limits made has a code of ours', () => {
    const failure = { code: 'policy_timeout', policy: 'slow', message: 'out of fuel' } as const
    const error = refusal(evaluationOf(deny([reason({ http: 403 })]), { failure }))
    expect(error).toMatchObject({ code: 'policy_timeout', status: 503, detail: 'policy slow: out of fuel' })
  })

  it('that requires a guardrail which must block is not served without it', () => {
    const guard = { id: 'no-secrets', mode: 'enforce', onError: 'block' } as const
    const plan = { target: 'openai/gpt-5.2' }
    const unguarded = (evaluation: Evaluation): unknown => {
      try {
        return allowedUnguarded(evaluation)
      } catch (error) {
        return error
      }
    }
    const withGuard = (rest: object): Evaluation =>
      evaluationOf(allow(plan, { guardrails: { input: [], output: [{ ...guard, ...rest }] } }))
    expect(unguarded(withGuard({}))).toMatchObject({ code: 'policy_invalid_decision' })
    expect(unguarded(withGuard({ mode: 'audit' }))).toMatchObject({ plan })
    expect(unguarded(withGuard({ onError: 'pass' }))).toMatchObject({ plan })
  })
})
