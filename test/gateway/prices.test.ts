import { describe, expect, it } from 'vitest'
import { costOf, formatUsd, isPlausibleUsage, picoPerUnit, withOverride } from '../../gateway/prices.ts'

const rows = [
  { units: { input: 1_250_000, cacheRead: 125_000, output: 10_000_000 } },
  { inputOver: 200_000, units: { input: 2_500_000, cacheRead: 250_000, output: 15_000_000 } },
]

describe('the cost of a usage', () => {
  it('is the sum of its units, in nano-dollars', () => {
    expect(costOf({ input: 1000, cacheRead: 400, output: 20 }, rows)).toBe(1_250_000n + 50_000n + 200_000n)
  })

  it('is rounded up once, not per unit', () => {
    const odd = [{ units: { input: 1, output: 1 } }]
    expect(costOf({ input: 1, output: 1 }, odd)).toBe(1n)
    expect(costOf({ input: 1000, output: 1 }, odd)).toBe(2n)
  })

  it('takes the row of the tier for the whole call, cached input counting', () => {
    expect(costOf({ input: 200_000 }, rows)).toBe(250_000_000n)
    expect(costOf({ input: 200_000, cacheRead: 1 }, rows)).toBe(500_000_250n)
  })

  it('is zero for a usage of zero and for prices of zero', () => {
    expect(costOf({ input: 0, output: 0 }, rows)).toBe(0n)
    expect(costOf({ input: 5, output: 5 }, [{ units: { input: 0, output: 0 } }])).toBe(0n)
  })

  it('is not known without prices, or for a unit that has none', () => {
    expect(costOf({ input: 1 }, undefined)).toBeUndefined()
    expect(costOf({ input: 1 }, [])).toBeUndefined()
    expect(costOf({ input: 1, searches: 2 }, rows)).toBeUndefined()
    expect(costOf({ output: 1 }, [{ units: { input: 1 } }])).toBeUndefined()
  })

  it('bills what has no price of its own as its provider does', () => {
    expect(costOf({ cacheWrite1h: 8 }, [{ units: { input: 1000, cacheWrite5m: 2000 } }])).toBe(16n)
    expect(costOf({ cacheWrite5m: 8 }, [{ units: { input: 1000 } }])).toBe(8n)
    expect(costOf({ input: 8, requests: 1 }, [{ units: { input: 1000 } }])).toBe(8n)
  })

  it('prices reasoning as the share of the output that it is', () => {
    const reasoning = [{ units: { output: 10_000, reasoning: 30_000 } }]
    expect(costOf({ output: 100, reasoning: 40 }, reasoning)).toBe(60n * 10n + 40n * 30n)
    expect(costOf({ output: 100, reasoning: 40 }, [{ units: { output: 10_000 } }])).toBe(1000n)
  })

  it('stays exact where numbers would not', () => {
    const dear = [{ units: { input: 9_007_199_254_740_991 } }]
    expect(costOf({ input: 1_000_000 }, dear)).toBe(9_007_199_254_740_991_000n)
  })
})

describe('prices of a workspace', () => {
  it('are exact in pico-dollars per unit', () => {
    expect(picoPerUnit(0.15)).toBe(150_000)
    expect(picoPerUnit(2.5)).toBe(2_500_000)
    expect(picoPerUnit(0)).toBe(0)
    expect(picoPerUnit(1e-7)).toBe(1)
    expect(picoPerUnit(0.1 + 0.2)).toBe(300_001)
    expect(picoPerUnit(1.5e21)).toBe(1.5e27)
  })

  it('replace those of the catalogue, in every tier, unit by unit', () => {
    expect(withOverride(rows, { input: 1 })).toEqual([
      { units: { input: 1_000_000, cacheRead: 125_000, output: 10_000_000 } },
      { inputOver: 200_000, units: { input: 1_000_000, cacheRead: 250_000, output: 15_000_000 } },
    ])
  })

  it('price what the catalogue does not know', () => {
    expect(withOverride(undefined, { input: 0, output: 0 })).toEqual([{ units: { input: 0, output: 0 } }])
  })

  it('leave the price unknown where they say nothing of it', () => {
    expect(withOverride(undefined, { contextTokens: 8000 })).toBeUndefined()
    expect(withOverride(rows, undefined)).toBe(rows)
  })
})

describe('usage from an upstream', () => {
  it.each([
    { input: -1 },
    { output: 1.5 },
    { input: 1e18 },
    { output: Number.NaN },
  ])('%o is not believed', (usage) => {
    expect(isPlausibleUsage(usage)).toBe(false)
  })

  it('of zero is believed', () => {
    expect(isPlausibleUsage({ input: 0, output: 0 })).toBe(true)
  })
})

it('dollars are written exactly and without a tail', () => {
  expect(formatUsd(0n)).toBe('0')
  expect(formatUsd(1n)).toBe('0.000000001')
  expect(formatUsd(1_234_500n)).toBe('0.0012345')
  expect(formatUsd(12_000_000_000n)).toBe('12')
  expect(formatUsd(12_340_000_000n)).toBe('12.34')
})
