import { baseFacts } from '@signalbox/policies'
import { describe, expect, it } from 'vitest'
import { fixtureDigest, maskFacts } from '../../../policies/cli/fixture-facts.ts'
import { parseRecordFilter, parseSpan } from '../../../policies/cli/record-filter.ts'

const facts = baseFacts({
  request: { id: 'call-1', client: 'curl/8', metadata: { tier: 'free', note: 'for Ada', count: 3 } },
  subject: { userId: 'ada@example.com', stickyKey: 'ada@example.com', keyName: 'ada laptop' },
  session: { id: 'session of ada' },
})
const metadata = { tier: { enum: ['free', 'paid'] }, note: { type: 'string' }, count: { type: 'integer' } }

describe('facts of a record as a fixture', () => {
  it('name nobody, and keep what policies decide by', () => {
    const masked = maskFacts(facts, metadata)
    expect(JSON.stringify(masked)).not.toMatch(/ada@|ada laptop|of ada|for ada|call-1|curl/i)
    expect(masked.request.metadata).toMatchObject({ tier: 'free', count: 3 })
    expect(masked.subject.userId).toBe(masked.subject.stickyKey)
    expect(masked.subject.node).toEqual(facts.subject.node)
    expect(maskFacts(facts, metadata)).toEqual(masked)
  })

  it('are one where only the time, the chance and the id differ', () => {
    const later = { ...facts, nowMs: 5, seed: 9, request: { ...facts.request, id: 'call-2' } }
    expect(fixtureDigest(later)).toBe(fixtureDigest(facts))
    const other = { ...facts, request: { ...facts.request, bytes: 1 } }
    expect(fixtureDigest(other)).not.toBe(fixtureDigest(facts))
  })
})

describe('what is pulled', () => {
  it('is named by members of a record, each as it may be', () => {
    const first = parseRecordFilter('effect=deny,team=search/web')
    expect(parseRecordFilter('rule=a=b', first)).toEqual({ effect: 'deny', team: 'search/web', rule: 'a=b' })
    for (const text of ['effect=no', 'efect=deny', 'team=', 'team', '']) {
      expect(() => parseRecordFilter(text), text).toThrow(/Expected/)
    }
  })

  it('goes back minutes, hours or days', () => {
    expect([parseSpan('30m'), parseSpan('24h'), parseSpan('7d')]).toEqual([
      1_800_000, 86_400_000, 604_800_000,
    ])
    for (const text of ['0h', '5', 'h', '5w', '-1h']) expect(() => parseSpan(text), text).toThrow(/Expected/)
  })
})
