import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MoneyArena } from '../support/money-arena.ts'

/* The short form of `test/bench/soak-money.ts`, which plays many of these with all kinds of faults. */
let arena: MoneyArena

beforeAll(async () => {
  arena = await MoneyArena.open(2, 41)
}, 180_000)
afterAll(async () => {
  await arena?.close()
})

describe('nested budgets of several windows, under calls, faults and a line that meddles with reports', () => {
  it('hold at every look, and at rest differ from the bill only on calls in flight at a fault', async () => {
    const result = await arena.play({
      ...{ seed: 41, seconds: 5, callers: 6, isExact: false, gateways: 2, keys: 6 },
      kinds: ['kill', 'pause', 'gatewayClock', 'databaseClock', 'partition', 'limitDown', 'nextDay'],
    })
    expect(result.violations).toEqual([])
    expect(result.looks).toBeGreaterThan(3)
    const { kill, pause, gatewayClock, databaseClock, partition, nextDay } = result.counts
    expect({ kill, pause, gatewayClock, databaseClock, partition, nextDay }).toEqual({
      ...{ kill: 1, pause: 1, gatewayClock: 1, databaseClock: 1, partition: 1, nextDay: 1 },
    })
    expect(result.endings['200'] ?? 0).toBeGreaterThan(0)
  }, 240_000)
})
