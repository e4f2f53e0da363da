import { Decision } from '@signalbox/sdk/contract'
import { describe, expect, it } from 'vitest'
import { type Actual, differences } from '../../../policies/cases/expectation.ts'

const decision = {
  plan: { strategy: 'ordered', of: [{ target: 'a/x' }, { target: 'b/y', patch: { maxOutputTokens: 5 } }] },
  caps: {},
}
const actual: Actual = {
  named: { effect: 'allow', rule: 'canary', policy: undefined },
  lists: { reasons: [{ code: 'ONE', policy: 'p', rule: 'r' }, { code: 'TWO' }] },
  document: { value: decision, schema: Decision },
}

describe('differences', () => {
  it('are none where all is as expected', () => {
    const expected = {
      effect: 'allow',
      rule: 'canary',
      policy: null,
      'plan.of[0].target': 'a/x',
      'plan.of.1': { target: 'b/y' },
      'caps.maxOutputTokens': null,
      reasons: [{ code: 'TWO' }, { code: 'ONE', rule: 'r' }],
    }
    expect(differences(expected, actual)).toEqual([])
  })

  it('show what was expected and what came', () => {
    expect(differences({ effect: 'deny', rule: 'control', 'plan.target': 'a/x' }, actual)).toEqual([
      'effect: expected "deny", got "allow"',
      'rule: expected "control", got "canary"',
      'plan.target: expected "a/x", got nothing',
    ])
  })

  it('take a part of an object and of the reasons, but no part of another list', () => {
    expect(differences({ 'plan.of[1]': { target: 'b/y', patch: {} } }, actual)).toEqual([])
    expect(differences({ 'plan.of': [{ target: 'a/x' }] }, actual)).toHaveLength(1)
    expect(differences({ reasons: [{ code: 'THREE' }] }, actual)).toHaveLength(1)
    expect(differences({ reasons: { code: 'ONE' } }, actual)).toHaveLength(1)
    expect(differences({ 'plan.of[1].patch': { maxOutputTokens: '5' } }, actual)).toHaveLength(1)
  })

  it('refuse a name that nothing can have', () => {
    expect(differences({ efect: 'allow' }, actual)).toEqual([
      '"expect" names efect; it can name effect, rule, policy, reasons, or a path into the decision; did you mean "effect"?',
    ])
    expect(differences({ 'plan.targets': 1 }, actual)[0]).toContain('names plan.targets')
    expect(differences({ 'a.b': 1 }, { named: { verdict: 'pass' } })).toEqual([
      '"expect" names a.b; it can name verdict',
    ])
  })
})
