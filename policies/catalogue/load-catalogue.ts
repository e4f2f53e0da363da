import type { Catalogue, CatalogueModel, modelTiers, PriceRow } from '@signalbox/sdk/contract'
import { canonicalJson, digestOf } from '@signalbox/sdk/node'
import { convertPrices, type Unpriced } from './convert-prices.ts'
import { type NamedModel, nameModels } from './name-models.ts'
import { priceDataVersion, pricesAsOf, readPriceData } from './price-data.ts'
import { type Vendor, vendors } from './vendors.ts'

/** A catalogue as a version pins it: `text` is its canonical JSON, `digest` is over that text. */
export interface PinnedCatalogue {
  readonly catalogue: Catalogue
  readonly digest: string
  readonly text: string
}
/** How many models have no price, by reason. */
export type UnpricedCounts = Readonly<Record<Unpriced, number>>

/**
 * Output prices, in pico-dollars per token, up to which a model is small or of middle size: 5 and 15 USD a
 * million.
 */
const smallPicoUsdMax = 5_000_000
const midPicoUsdMax = 15_000_000

/** A model is as large as its output is dear; without an output price nothing is known. */
function tierOf(prices: readonly PriceRow[] | undefined): (typeof modelTiers)[number] {
  const output = prices?.[0]?.units.output
  if (output === undefined || output === 0) return 'unknown'
  if (output <= smallPicoUsdMax) return 'small'
  return output <= midPicoUsdMax ? 'mid' : 'large'
}

function visibleOutputOf(vendor: Vendor, id: string): boolean | undefined {
  if (vendor.hidden?.test(id) === true) return false
  return vendor.visible?.test(id) === true ? true : undefined
}

function modelOf(vendor: Vendor, named: NamedModel): { model: CatalogueModel; unpriced?: Unpriced } {
  const converted = convertPrices(named.data, pricesAsOf)
  const prices = 'rows' in converted ? converted.rows : undefined
  const visibleOutput = visibleOutputOf(vendor, named.id)
  const isOwnName = named.id === named.data.id
  const model: CatalogueModel = {
    provider: vendor.name,
    id: named.id,
    spellings: [...named.spellings],
    ...(isOwnName && named.data.name !== undefined && { name: named.data.name }),
    ...(prices !== undefined && { prices }),
    ...(named.data.context_window !== undefined && { contextTokens: named.data.context_window }),
    tier: tierOf(prices),
    ...(visibleOutput !== undefined && { visibleOutput }),
    ...(vendor.abortStopsBilling !== undefined && { abortStopsBilling: vendor.abortStopsBilling }),
  }
  return 'unpriced' in converted ? { model, unpriced: converted.unpriced } : { model }
}

/** The models of a vendor, by id; those that only look like its own left out. */
function modelsOf(vendor: Vendor): ReturnType<typeof modelOf>[] {
  const data = readPriceData(vendor.dataId).filter((model) => vendor.only?.test(model.id) ?? true)
  return nameModels(vendor, data)
    .filter((named) => !named.id.startsWith(`${vendor.dataId}/`))
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map((named) => modelOf(vendor, named))
}

function build(): PinnedCatalogue & { unpriced: UnpricedCounts } {
  const built = vendors.flatMap(modelsOf)
  const counts: Record<Unpriced, number> = { none: 0, timeOfDay: 0, unknownUnit: 0, inexact: 0 }
  for (const { unpriced } of built) if (unpriced !== undefined) counts[unpriced]++
  const catalogue: Catalogue = {
    schema: 'catalogue/1',
    source: `@pydantic/genai-prices ${priceDataVersion}, prices of ${pricesAsOf}`,
    models: built.map(({ model }) => model),
  }
  const text = canonicalJson(catalogue)
  return { catalogue, digest: digestOf(text), text, unpriced: counts }
}

let built: ReturnType<typeof build> | undefined

/**
 * Everything static that is known of models, from the price package's data: prices as whole pico-dollars per
 * unit, exact ids and spellings, context sizes. The same package gives the same digest on every machine and
 * day. Vendors stand in the order of `vendors.ts`, models by id. Built once per process.
 */
export function loadCatalogue(): PinnedCatalogue {
  built ??= build()
  return built
}

/**
 * How many models of the catalogue have no price: none in the data, by time of day, in units we lack, not
 * exact.
 */
export function countUnpriced(): UnpricedCounts {
  built ??= build()
  return built.unpriced
}
