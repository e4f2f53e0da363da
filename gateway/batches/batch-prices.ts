import type { PriceRow, UsageUnit } from '@signalbox/sdk/contract'
import type { Target } from '../targets.ts'

/**
 * What vendors take for tokens of a batch, of their list price. Sources: OpenAI, Batch API ("50% cost discount compared
 * to synchronous APIs"); Anthropic, Message Batches ("50% of the standard API prices"). Of any other vendor nothing is
 * known, and the list price holds.
 */
const sharePpm: Readonly<Record<string, bigint>> = { openai: 500_000n, anthropic: 500_000n }
/** Fees are no tokens: nobody says that they are less. */
const fees: ReadonlySet<string> = new Set(['searches', 'requests'])
const million = 1_000_000n
const known = new WeakMap<readonly PriceRow[], readonly PriceRow[]>()

function discounted(rows: readonly PriceRow[], ppm: bigint): readonly PriceRow[] {
  const ready = known.get(rows)
  if (ready !== undefined) return ready
  const made = rows.map((row): PriceRow => {
    const units: PriceRow['units'] = {}
    for (const [unit, price] of Object.entries(row.units)) {
      const reduced = fees.has(unit) ? price : Number((BigInt(price) * ppm + million - 1n) / million)
      units[unit as UsageUnit] = reduced
    }
    return { ...row, units }
  })
  known.set(rows, made)
  return made
}

/** Prices of a target's model in a batch; undefined where they are not known. */
export function batchPrices({ prices, row }: Target): readonly PriceRow[] | undefined {
  const ppm = sharePpm[row?.provider ?? '']
  return prices === undefined || ppm === undefined ? prices : discounted(prices, ppm)
}
