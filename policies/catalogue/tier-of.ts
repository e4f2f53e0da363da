import type { modelTiers, PriceRow } from '@signalbox/sdk/contract'

/**
 * Output prices, in pico-dollars per token, up to which a model is small or of middle size: 5 and 15 USD a
 * million.
 */
const smallPicoUsdMax = 5_000_000
const midPicoUsdMax = 15_000_000

/** A model is as large as its output is dear; without an output price nothing is known. */
export function tierOf(prices: readonly PriceRow[] | undefined): (typeof modelTiers)[number] {
  const output = prices?.[0]?.units.output
  if (output === undefined || output === 0) return 'unknown'
  if (output <= smallPicoUsdMax) return 'small'
  return output <= midPicoUsdMax ? 'mid' : 'large'
}
