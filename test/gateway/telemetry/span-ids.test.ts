import { describe, expect, it } from 'vitest'
import { newSpanIds } from '../../../gateway/telemetry/span-ids.ts'

const traceId = '0af7651916cd43dd8448eb211c80319c'
const spanId = 'b7ad6b7169203331'

describe('the ids of a call', () => {
  it('are new and of the right form where the caller has no trace', () => {
    const ids = Array.from({ length: 2000 }, () => newSpanIds())
    expect(new Set(ids.map((each) => each.traceId)).size).toBe(2000)
    expect(new Set(ids.map((each) => each.spanId)).size).toBe(2000)
    for (const each of ids) {
      expect(each.traceId).toMatch(/^[0-9a-f]{32}$/)
      expect(each.spanId).toMatch(/^[0-9a-f]{16}$/)
      expect(each.parent).toBeUndefined()
    }
  })

  it('continue a sampled trace', () => {
    const ids = newSpanIds(`00-${traceId}-${spanId}-01`, 'a=1')
    expect(ids).toMatchObject({ traceId, parent: { traceId, spanId, sampled: true, traceState: 'a=1' } })
    expect(ids.spanId).not.toBe(spanId)
  })

  it('begin a trace of their own beside an unsampled one, and remember it', () => {
    const ids = newSpanIds(`00-${traceId}-${spanId}-00`)
    expect(ids.traceId).not.toBe(traceId)
    expect(ids.parent).toEqual({ traceId, spanId, sampled: false })
  })

  it('take the flags and versions of later specifications for what they say', () => {
    expect(newSpanIds(`cc-${traceId}-${spanId}-03-what-comes-later`).traceId).toBe(traceId)
  })

  for (const header of [
    '',
    'nonsense',
    `00-${traceId.toUpperCase()}-${spanId}-01`,
    `00-${'0'.repeat(32)}-${spanId}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `ff-${traceId}-${spanId}-01`,
    `00-${traceId}-${spanId}-01-more`,
    `00-${traceId}-${spanId}`,
  ]) {
    it(`pass over the header "${header}"`, () => {
      const ids = newSpanIds(header)
      expect(ids.parent).toBeUndefined()
      expect(ids.traceId).not.toBe(traceId)
    })
  }
})
