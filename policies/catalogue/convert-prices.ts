import type { PriceRow, UsageUnit } from '@signalbox/sdk/contract'
import type { DataModel, DataPrice, DataPrices, DatedPrices } from './price-data.ts'
import { shiftDecimal } from './shift-decimal.ts'

/**
 * Our unit of a price of the data, and how many decimal places lie between its USD and pico-dollars per unit.
 */
const unitOf: Readonly<Record<string, { unit: UsageUnit; places: number }>> = {
  // USD per million units: 1e12 / 1e6.
  input_mtok: { unit: 'input', places: 6 },
  cache_read_mtok: { unit: 'cacheRead', places: 6 },
  cache_write_mtok: { unit: 'cacheWrite5m', places: 6 },
  cache_write_1h_mtok: { unit: 'cacheWrite1h', places: 6 },
  output_mtok: { unit: 'output', places: 6 },
  output_reasoning_mtok: { unit: 'reasoning', places: 6 },
  input_image_mtok: { unit: 'imageIn', places: 6 },
  input_audio_mtok: { unit: 'audioIn', places: 6 },
  output_audio_mtok: { unit: 'audioOut', places: 6 },
  // USD per thousand: 1e12 / 1e3.
  web_searches_kcount: { unit: 'searches', places: 9 },
  requests_kcount: { unit: 'requests', places: 9 },
}
/**
 * Prices that may be left out without a call being charged too little: cached audio and images are counted as
 * uncached ones, which cost more; searches in stored files are a tool of its own that the caller asks for and
 * that no unit counts so far.
 */
const leftOut = new Set(['cache_audio_read_mtok', 'cache_image_read_mtok', 'storage_searches_kcount'])

export type Unpriced = 'none' | 'timeOfDay' | 'unknownUnit' | 'inexact'
export type ConvertedPrices = { readonly rows: PriceRow[] } | { readonly unpriced: Unpriced }

/** The prices that hold on a day (`2026-09-23`); undefined where they depend on the time of day. */
function pricesOn(model: DataModel, day: string): DataPrices | undefined {
  if (!Array.isArray(model.prices)) return model.prices as DataPrices
  const dated: readonly DatedPrices[] = model.prices
  if (dated.some((each) => each.constraint?.type === 'time_of_date')) return undefined
  const holding = dated.filter(
    ({ constraint }) =>
      constraint === undefined || (constraint.type === 'start_date' && constraint.start_date <= day),
  )
  return holding.at(-1)?.prices
}

const tiersOf = (price: DataPrice | undefined): readonly number[] =>
  typeof price === 'object' ? price.tiers.map((tier) => tier.start) : []

/** The price for inputs just longer than `over` tokens; the base price where `over` is undefined. */
function priceAt(price: DataPrice, over: number | undefined): number {
  if (typeof price === 'number') return price
  const holding = price.tiers.filter((tier) => over !== undefined && tier.start <= over)
  return holding.sort((a, b) => a.start - b.start).at(-1)?.price ?? price.base
}

function rowAt(prices: DataPrices, over: number | undefined): PriceRow | undefined {
  const units: Partial<Record<UsageUnit, number>> = {}
  for (const [key, price] of Object.entries(prices)) {
    const known = unitOf[key]
    if (known === undefined || price === undefined) continue
    const picoUsd = shiftDecimal(priceAt(price, over), known.places)
    if (picoUsd !== undefined) units[known.unit] = picoUsd
    else if (known.unit === 'input' || known.unit === 'output') return undefined
  }
  // The data charge a kind of token without its own price as the kind above it: no discount for cache hits.
  if (units.cacheRead === undefined && units.input !== undefined && units.output !== undefined) {
    units.cacheRead = units.input
  }
  return over === undefined ? { units } : { inputOver: over, units }
}

/**
 * Price rows of a model: the base, then one per longer input, each whole. A price in a unit that we lack
 * leaves the model unpriced, with the reason. A price that is no whole number of pico-dollars is left out of
 * its row, never rounded: a call that uses that unit is unpriced, others are not.
 */
export function convertPrices(model: DataModel, day: string): ConvertedPrices {
  const prices = pricesOn(model, day)
  if (prices === undefined) return { unpriced: 'timeOfDay' }
  const keys = Object.keys(prices).filter((key) => prices[key] !== undefined && !leftOut.has(key))
  if (keys.length === 0) return { unpriced: 'none' }
  if (keys.some((key) => unitOf[key] === undefined)) return { unpriced: 'unknownUnit' }
  const starts = [...new Set(keys.flatMap((key) => tiersOf(prices[key])))].sort((a, b) => a - b)
  const rows = [undefined, ...starts].map((over) => rowAt(prices, over))
  const exact = rows.filter((row) => row !== undefined)
  return exact.length === rows.length ? { rows: exact } : { unpriced: 'inexact' }
}
