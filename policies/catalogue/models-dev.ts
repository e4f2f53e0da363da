import { readFileSync } from 'node:fs'
import type { PriceRow, UsageUnit } from '@signalbox/sdk/contract'
import { shiftDecimal } from './shift-decimal.ts'

/** Prices in USD per million tokens, as models.dev names them. */
type Prices = Readonly<Record<string, number>>

/** What models.dev says of one model at one host; a line of `models-dev.ndjson`. */
export interface ModelsDevLine {
  readonly host: string
  readonly id: string
  readonly name?: string
  readonly cost?: (Prices | { readonly tiers: readonly Prices[] }) | undefined
  readonly context?: number
  readonly output?: number
  readonly capabilities: readonly string[]
  readonly in?: readonly string[]
  readonly out?: readonly string[]
  readonly released?: string | undefined
  readonly deprecated?: boolean
  readonly open?: boolean
}
export interface ModelsDevData {
  /** Commit and day of the snapshot. */
  readonly commit: string
  readonly day: string
  readonly models: readonly ModelsDevLine[]
}

const unitOf: Readonly<Record<string, UsageUnit>> = {
  input: 'input',
  output: 'output',
  cache_read: 'cacheRead',
  cache_write: 'cacheWrite5m',
  reasoning: 'reasoning',
  input_audio: 'audioIn',
  output_audio: 'audioOut',
}

/**
 * The snapshot of models.dev that this release carries: limits, capabilities and prices of what hosts offer. Renewed
 * with `import-models-dev.ts`, so that a version's catalogue never depends on the network.
 */
export function readModelsDev(): ModelsDevData {
  const text = readFileSync(new URL('./models-dev.ndjson', import.meta.url), 'utf8')
  const [head = '{}', ...lines] = text.trimEnd().split('\n')
  const { commit, day } = JSON.parse(head) as { commit: string; day: string }
  return { commit, day, models: lines.map((line): ModelsDevLine => JSON.parse(line)) }
}

function unitsOf(prices: Prices): PriceRow['units'] | undefined {
  const units: PriceRow['units'] = {}
  for (const [key, usd] of Object.entries(prices)) {
    const unit = unitOf[key]
    if (unit === undefined) continue
    const picoUsd = shiftDecimal(usd, 6)
    if (picoUsd !== undefined) units[unit] = picoUsd
    else if (unit === 'input' || unit === 'output') return undefined
  }
  return units
}

/**
 * Price rows of a line: the base, then one per longer input, each whole. Undefined where no price is known or one is
 * no whole number of pico-dollars.
 */
export function pricesOfLine({ cost }: ModelsDevLine): PriceRow[] | undefined {
  if (cost === undefined) return undefined
  const { tiers, ...base } = cost as Prices & { readonly tiers?: readonly Prices[] }
  const units = unitsOf(base as Prices)
  if (units === undefined) return undefined
  const rows: PriceRow[] = [{ units }]
  for (const tier of [...(tiers ?? [])].sort((a, b) => (a.over ?? 0) - (b.over ?? 0))) {
    const dearer = unitsOf(tier)
    if (dearer === undefined || tier.over === undefined) return undefined
    rows.push({ inputOver: tier.over, units: { ...units, ...dearer } })
  }
  return rows.slice(0, 8)
}
