import { describe, expect, it } from 'vitest'
import { convertPrices } from '../../../policies/catalogue/convert-prices.ts'
import type { DataModel } from '../../../policies/catalogue/price-data.ts'
import { shiftDecimal } from '../../../policies/catalogue/shift-decimal.ts'

const model = (prices: DataModel['prices']): DataModel => ({ id: 'm', match: { equals: 'm' }, prices })

describe('shiftDecimal', () => {
  it('moves the decimal point without float arithmetic', () => {
    expect(shiftDecimal(0.003625, 6)).toBe(3625)
    expect(shiftDecimal(1.1, 6)).toBe(1_100_000)
    expect(shiftDecimal(0.07 * 1, 9)).toBe(70_000_000)
    expect(shiftDecimal(1e-7, 7)).toBe(1)
    expect(shiftDecimal(180, 6)).toBe(180_000_000)
    expect(shiftDecimal(0, 6)).toBe(0)
  })

  it('differs from float arithmetic where that is wrong', () => {
    expect(1.001 * 1e6).not.toBe(1_001_000)
    expect(shiftDecimal(1.001, 6)).toBe(1_001_000)
    expect(0.0041 * 1e9).not.toBe(4_100_000)
    expect(shiftDecimal(0.0041, 9)).toBe(4_100_000)
  })

  it('gives nothing where a fraction is left or the number is no safe integer', () => {
    expect(shiftDecimal(0.08333333, 6)).toBeUndefined()
    expect(shiftDecimal(1e-7, 6)).toBeUndefined()
    expect(shiftDecimal(1e12, 6)).toBeUndefined()
    expect(shiftDecimal(Number.NaN, 6)).toBeUndefined()
    expect(shiftDecimal(-1, 6)).toBeUndefined()
  })
})

describe('convertPrices', () => {
  it('makes one whole row per length of input', () => {
    const prices = {
      input_mtok: { base: 5, tiers: [{ start: 271_999, price: 10 }] },
      cache_read_mtok: { base: 0.5, tiers: [{ start: 271_999, price: 1 }] },
      output_mtok: { base: 30, tiers: [{ start: 271_999, price: 45 }] },
      web_searches_kcount: 10,
    }
    expect(convertPrices(model(prices), '2026-09-23')).toEqual({
      rows: [
        { units: { input: 5e6, cacheRead: 5e5, output: 3e7, searches: 1e10 } },
        { inputOver: 271_999, units: { input: 1e7, cacheRead: 1e6, output: 4.5e7, searches: 1e10 } },
      ],
    })
  })

  it('keeps the steps of different units apart', () => {
    const prices = {
      input_mtok: {
        base: 1,
        tiers: [
          { start: 20, price: 3 },
          { start: 10, price: 2 },
        ],
      },
      output_mtok: { base: 5, tiers: [{ start: 20, price: 7 }] },
      cache_read_mtok: 1,
    }
    expect(convertPrices(model(prices), '2026-09-23')).toEqual({
      rows: [
        { units: { input: 1e6, cacheRead: 1e6, output: 5e6 } },
        { inputOver: 10, units: { input: 2e6, cacheRead: 1e6, output: 5e6 } },
        { inputOver: 20, units: { input: 3e6, cacheRead: 1e6, output: 7e6 } },
      ],
    })
  })

  it('charges cache hits as input where the data know no discount', () => {
    expect(convertPrices(model({ input_mtok: 15, output_mtok: 120 }), '2026-09-23')).toEqual({
      rows: [{ units: { input: 15e6, cacheRead: 15e6, output: 120e6 } }],
    })
  })

  it('takes the prices of the given day', () => {
    const dated = [
      { prices: { input_mtok: 10 } },
      { constraint: { type: 'start_date', start_date: '2025-06-10' }, prices: { input_mtok: 2 } },
      { constraint: { type: 'start_date', start_date: '2027-01-01' }, prices: { input_mtok: 9 } },
    ] as const
    expect(convertPrices(model(dated), '2025-06-09')).toEqual({ rows: [{ units: { input: 10e6 } }] })
    expect(convertPrices(model(dated), '2025-06-10')).toEqual({ rows: [{ units: { input: 2e6 } }] })
    expect(convertPrices(model(dated), '2026-09-23')).toEqual({ rows: [{ units: { input: 2e6 } }] })
  })

  it('leaves a model unpriced, with the reason, where a price cannot be expressed', () => {
    const byNight = [
      { prices: { input_mtok: 0.1 } },
      {
        constraint: { type: 'time_of_date', start_time: '00:30:00Z', end_time: '16:30:00Z' },
        prices: { input_mtok: 0.2 },
      },
    ] as const
    expect(convertPrices(model(byNight), '2026-09-23')).toEqual({ unpriced: 'timeOfDay' })
    expect(convertPrices(model({}), '2026-09-23')).toEqual({ unpriced: 'none' })
    const image = { input_mtok: 0.3, output_mtok: 2.5, output_image_mtok: 30 }
    expect(convertPrices(model(image), '2026-09-23')).toEqual({ unpriced: 'unknownUnit' })
    expect(convertPrices(model({ input_mtok: 1 / 3 }), '2026-09-23')).toEqual({ unpriced: 'inexact' })
  })

  it('leaves out a side price that is not exact and keeps the rest', () => {
    const prices = { input_mtok: 0.1, output_mtok: 0.4, cache_read_mtok: 0.01, cache_write_mtok: 1 / 12 }
    expect(convertPrices(model(prices), '2026-09-23')).toEqual({
      rows: [{ units: { input: 100_000, cacheRead: 10_000, output: 400_000 } }],
    })
  })
})
