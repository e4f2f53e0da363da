import { describe, expect, it } from 'vitest'
import { provider } from '../../../gateway/providers/openai.ts'
import { settleAttempt, settleCall } from '../../../gateway/steps/settle.ts'
import { targetsOf } from '../../../gateway/targets.ts'
import { type AttemptTrail, beginAttempt, beginTrail } from '../../../gateway/trail.ts'
import { memorySnapshot } from '../../support/memory-snapshot.ts'

const table = targetsOf(memorySnapshot(), new Map([[provider.id, provider]]))
const start = { id: 'r', startMs: 0, dialect: 'openai-chat', operation: 'chat' } as const

function settled(state: Partial<AttemptTrail>, name = 'openai/gpt-5.2'): AttemptTrail {
  const target = table.find(name)
  if (target === undefined) throw new Error(name)
  const attempt = Object.assign(
    beginAttempt(beginTrail(start), target, 0),
    { sent: true, status: 200 },
    state,
  )
  settleAttempt(attempt, 100)
  return attempt
}
const winner = { winner: true, outcome: 'ok' } as const

describe('an attempt', () => {
  it('is settled by what was reported, zero included', () => {
    const usage = { input: 10, output: 5 }
    expect(settled({ ...winner, usage })).toMatchObject({ usage, evidence: 'reported', costNanoUsd: 20_000n })
    expect(settled({ ...winner, usage: { input: 0, output: 0 }, meteredChars: 40 })).toMatchObject({
      evidence: 'reported',
      costNanoUsd: 0n,
    })
  })

  it('without a report is estimated from the request and what was metered', () => {
    expect(settled({ ...winner, meteredChars: 41 })).toMatchObject({
      usage: { input: 100, output: 11 },
      evidence: 'estimated',
    })
  })

  it('that was cut keeps its reported input and counts the output that was seen', () => {
    const cut = { winner: true, outcome: 'reset', usage: { input: 40, output: 1 }, meteredChars: 80 } as const
    expect(settled(cut)).toMatchObject({ usage: { input: 40, output: 20 }, evidence: 'estimated' })
  })

  it('that a provider refused, or that never went out, costs nothing', () => {
    expect(settled({ outcome: 'error', status: 429 })).toMatchObject({
      evidence: 'none',
      costNanoUsd: undefined,
    })
    expect(settled({ outcome: 'unavailable', sent: false, status: 0 })).toMatchObject({ evidence: 'none' })
    expect(settled({ outcome: 'timeout', sent: false, status: 0 })).toMatchObject({ evidence: 'none' })
    expect(settled({ outcome: 'invalid', status: 302 })).toMatchObject({ evidence: 'none' })
  })

  it.each([
    'timeout',
    'reset',
    'aborted',
  ] as const)('that ended in a %s after it went out may be charged', (outcome) => {
    expect(settled({ outcome, status: 0 })).toMatchObject({
      usage: { input: 100, output: 0 },
      evidence: 'estimated',
    })
  })

  it('of an unpriced model has usage and no cost', () => {
    const attempt = settled({ ...winner, usage: { input: 10, output: 5 } }, 'openai/unheard-of')
    expect(attempt).toMatchObject({ evidence: 'reported', costNanoUsd: undefined })
  })
})

it('a call is the sum of its attempts, with the weakest evidence', () => {
  const trail = beginTrail(start)
  trail.attempts.push(
    settled({ outcome: 'timeout', status: 0 }),
    settled({ ...winner, usage: { input: 10, output: 5, cacheRead: 3 } }),
  )
  expect(settleCall(trail)).toEqual({
    usage: { input: 110, output: 5, cacheRead: 3 },
    evidence: 'estimated',
    costNanoUsd: 100_000n + 23_000n,
  })
})
