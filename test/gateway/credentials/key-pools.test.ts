import { describe, expect, it } from 'vitest'
import { KeyPools } from '../../../gateway/credentials/key-pools.ts'

const keys = ['a', 'b', 'c']
const failed = (credential: string, status: number, retryAfterS?: number) => ({
  credential,
  status,
  retryAfterS,
})

describe('KeyPools', () => {
  it('lets healthy keys take turns', () => {
    const pools = new KeyPools()
    expect([0, 1, 2, 3].map(() => pools.pick('x', keys, 0))).toEqual(['a', 'b', 'c', 'a'])
  })

  it('leaves a rate limited key out for as long as the provider says, and no longer', () => {
    const pools = new KeyPools()
    expect(pools.note('x', keys, failed('a', 429, 7), 0)).toBe(true)
    expect(pools.health('x', keys, 0)).toEqual({ ready: 2, coolingDown: 1, refused: 0 })
    expect(new Set([1, 2, 3, 4].map(() => pools.pick('x', keys, 6999)))).toEqual(new Set(['b', 'c']))
    expect(pools.health('x', keys, 7000)).toEqual({ ready: 3, coolingDown: 0, refused: 0 })
  })

  it.each([401, 402, 403])('leaves a key that was answered with %i out until it is tried again', (status) => {
    const pools = new KeyPools()
    pools.note('x', keys, failed('b', status, 1), 0)
    expect(pools.health('x', keys, 60_000)).toEqual({ ready: 2, coolingDown: 0, refused: 1 })
    expect(pools.health('x', keys, 900_000).ready).toBe(3)
  })

  it('says when no other key can take the call, and then gives the one that is back first', () => {
    const pools = new KeyPools()
    expect(pools.note('x', keys, failed('a', 401), 0)).toBe(true)
    expect(pools.note('x', keys, failed('b', 429, 60), 0)).toBe(true)
    expect(pools.note('x', keys, failed('c', 429, 20), 0)).toBe(false)
    expect(pools.pick('x', keys, 1)).toBe('c')
    pools.good('x', keys, 'c')
    expect(pools.health('x', keys, 1).ready).toBe(1)
  })

  it('never tries again for other failures, nor where there is one key', () => {
    const pools = new KeyPools()
    expect(pools.note('x', keys, failed('a', 500), 0)).toBe(false)
    expect(pools.note('x', ['a'], failed('a', 429), 0)).toBe(false)
    expect(pools.pick('x', ['a'], 0)).toBe('a')
    expect(pools.pick('x', [], 0)).toBeUndefined()
  })

  it('keeps the pools of connections apart', () => {
    const pools = new KeyPools()
    pools.note('x', keys, failed('a', 401), 0)
    expect(pools.health('y', keys, 0).ready).toBe(3)
  })
})
