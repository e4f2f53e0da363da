import { describe, expect, it } from 'vitest'
import { Backoff } from '../../../gateway/documents/backoff.ts'

describe('the wait before another try', () => {
  it('doubles up to its limit, and begins again after a success', () => {
    const backoff = new Backoff({ baseMs: 100, maxMs: 1000, random: () => 1 })
    const waits = Array.from({ length: 6 }, () => backoff.nextMs())
    expect(waits).toEqual([100, 200, 400, 800, 1000, 1000])
    backoff.reset()
    expect(backoff.nextMs()).toBe(100)
  })

  it('is spread over half of itself', () => {
    const backoff = new Backoff({ baseMs: 1000, maxMs: 1000, random: () => 0 })
    expect(backoff.nextMs()).toBe(500)
  })
})
