import type { PlanNode } from '@signalbox/sdk/contract'
import { describe, expect, it } from 'vitest'
import { provider as openai } from '../../../gateway/providers/openai.ts'
import { refusalOfEmpty, type Selected, select } from '../../../gateway/steps/select.ts'
import { targetsOf } from '../../../gateway/targets.ts'
import { connectionOf, memorySnapshot } from '../../support/memory-snapshot.ts'

const missing = { status: 'unavailable', missing: 'DEAR_API_KEY', credential: undefined } as const
const snapshot = memorySnapshot({
  connections: [connectionOf('a'), connectionOf('b'), connectionOf('dear', missing)],
})
const table = targetsOf(snapshot, new Map([[openai.id, openai]]))
const pick = (plan: PlanNode): Selected => select(plan, 42, table.find)
const ordered = (...of: PlanNode[]): PlanNode => ({ strategy: 'ordered', of })

describe('a selection', () => {
  it('is the targets of the tree in order, with the seed', () => {
    const plan = ordered({ target: 'a/x' }, ordered({ target: 'b/y' }, { target: 'a/z' }))
    const { selection, order } = pick(plan)
    expect(selection).toEqual({ seed: 42, order: ['a/x', 'b/y', 'a/z'], skipped: [] })
    expect(order.map(({ target }) => target.model)).toEqual(['x', 'y', 'z'])
  })

  it('keeps what the plan says of each target', () => {
    const node = { target: 'a/x', timeouts: { idleMs: 5 }, patch: { maxOutputTokens: 9 } }
    expect(pick(node).order[0]?.node).toEqual(node)
  })

  it('passes over what cannot be used and says why', () => {
    const { selection } = pick(ordered({ target: 'dear/x' }, { target: 'gone/x' }, { target: 'a/x' }))
    expect(selection.order).toEqual(['a/x'])
    expect(selection.skipped).toEqual([
      { target: 'dear/x', reason: 'unavailable: DEAR_API_KEY is missing' },
      { target: 'gone/x', reason: 'unknown connection' },
    ])
  })

  it('without any target says what is missing', () => {
    const refusal = refusalOfEmpty(pick({ target: 'dear/x' }))
    expect(refusal).toMatchObject({ code: 'connection_unavailable', status: 503 })
    expect(refusal.message).toContain('DEAR_API_KEY')
    expect(refusalOfEmpty(pick({ target: 'gone/x' })).code).toBe('policy_invalid_decision')
  })

  it.each<[string, PlanNode]>([
    ['another strategy', { strategy: 'weighted', of: [{ target: 'a/x' }] }],
    ['a pipeline', { pipeline: [{ id: 'one', node: { target: 'a/x' }, onFailure: 'fail' }] }],
    [
      'a tree that is too deep',
      Array.from({ length: 9 }).reduce<PlanNode>((node) => ordered(node), { target: 'a/x' }),
    ],
  ])('refuses %s', (_name, plan) => {
    expect(() => pick(plan)).toThrow(expect.objectContaining({ code: 'policy_invalid_decision' }))
  })
})
