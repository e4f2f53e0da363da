import type { CatalogueOverride, PriceRow, Usage, UsageUnit } from '@signalbox/sdk/contract'
import type { Static } from 'typebox'

type UsageCounts = Static<typeof Usage>

/**
 * Where a price row has no price for a unit, the unit that providers bill it as: cached and multimodal input as
 * input, reasoning and audio output as output. A request fee that no row names is no fee. What is left (searches) is
 * unknown, and so is the cost.
 */
const billedAs: Readonly<Partial<Record<UsageUnit, UsageUnit>>> = {
  cacheRead: 'input',
  cacheWrite5m: 'input',
  cacheWrite1h: 'cacheWrite5m',
  imageIn: 'input',
  audioIn: 'input',
  audioOut: 'output',
}
const picoPerNano = 1000n

function priceOf(row: PriceRow, unit: UsageUnit): number | undefined {
  const price = row.units[unit]
  if (price !== undefined) return price
  const substitute = billedAs[unit]
  return substitute === undefined ? undefined : priceOf(row, substitute)
}

/** The last row whose condition holds for the whole call. */
function rowFor(usage: UsageCounts, rows: readonly PriceRow[]): PriceRow | undefined {
  const inputTokens =
    (usage.input ?? 0) + (usage.cacheRead ?? 0) + (usage.cacheWrite5m ?? 0) + (usage.cacheWrite1h ?? 0)
  let found: PriceRow | undefined
  for (const row of rows) {
    if (row.inputOver === undefined || inputTokens > row.inputOver) found = row
  }
  return found
}

/**
 * Cost of a usage in nano-dollars, exact, rounded up once. Undefined where the price is not known: no rows, or a
 * count of a unit that no row prices.
 */
export function costOf(usage: UsageCounts, rows: readonly PriceRow[] | undefined): bigint | undefined {
  const row = rows === undefined ? undefined : rowFor(usage, rows)
  if (row === undefined) return undefined
  let pico = 0n
  for (const name in usage) {
    const unit = name as UsageUnit
    const count = usage[unit]
    // Reasoning is a share of the output and is priced below, where its price differs.
    if (count === undefined || count === 0 || unit === 'reasoning') continue
    const price = priceOf(row, unit)
    if (price === undefined) {
      if (unit === 'requests') continue
      return undefined
    }
    pico += BigInt(count) * BigInt(price)
  }
  const reasoningPrice = row.units.reasoning
  if (reasoningPrice !== undefined && row.units.output !== undefined) {
    const reasoning = Math.min(usage.reasoning ?? 0, usage.output ?? 0)
    pico += BigInt(reasoning) * (BigInt(reasoningPrice) - BigInt(row.units.output))
  }
  return (pico + picoPerNano - 1n) / picoPerNano
}

/** USD per million units as pico-dollars per unit: the decimal point moved by six, exact; a rest is rounded up. */
export function picoPerUnit(usdPerMillion: number): number {
  const [digits = '0', exponent = '0'] = String(usdPerMillion).split('e')
  const [whole = '0', fraction = ''] = digits.split('.')
  const shift = Number(exponent) + 6 - fraction.length
  const value = BigInt(whole + fraction)
  if (shift >= 0) return Number(value * 10n ** BigInt(shift))
  const divisor = 10n ** BigInt(-shift)
  return Number((value + divisor - 1n) / divisor)
}

/** Price rows of a model with what a workspace says differs here; its prices replace those of every tier. */
export function withOverride(
  rows: readonly PriceRow[] | undefined,
  override: Static<typeof CatalogueOverride> | undefined,
): readonly PriceRow[] | undefined {
  if (override === undefined) return rows
  const units: PriceRow['units'] = {}
  for (const unit of ['input', 'output', 'cacheRead', 'cacheWrite5m', 'cacheWrite1h', 'searches'] as const) {
    const price = override[unit]
    if (price !== undefined) units[unit] = picoPerUnit(price)
  }
  if (Object.keys(units).length === 0) return rows
  if (rows === undefined || rows.length === 0) return [{ units }]
  return rows.map((row) => ({ ...row, units: { ...row.units, ...units } }))
}
