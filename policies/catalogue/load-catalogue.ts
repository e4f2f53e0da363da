import type { Catalogue, CatalogueModel } from '@signalbox/sdk/contract'
import { canonicalJson, digestOf } from '@signalbox/sdk/node'
import { convertPrices, type Unpriced } from './convert-prices.ts'
import { dataPolicies } from './data-policies.ts'
import { addHosts } from './hosted-models.ts'
import { readModelsDev } from './models-dev.ts'
import { type NamedModel, nameModels } from './name-models.ts'
import { priceDataVersion, pricesAsOf, readPriceData } from './price-data.ts'
import { withRetirement } from './retirements.ts'
import { tierOf } from './tier-of.ts'
import { type Vendor, vendors, visibleOutputOf } from './vendors.ts'

/** A catalogue as a version pins it: `text` is its canonical JSON, `digest` is over that text. */
export interface PinnedCatalogue {
  readonly catalogue: Catalogue
  readonly digest: string
  readonly text: string
}
/** How many models have no price, by reason. */
export type UnpricedCounts = Readonly<Record<Unpriced, number>>

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
  const hosts = readModelsDev()
  const own = built.map(({ model }) => model)
  const models = addHosts(own, hosts.models).map(withRetirement)
  for (const { prices } of models.slice(own.length)) if (prices === undefined) counts.none++
  const prices = `@pydantic/genai-prices ${priceDataVersion}, prices of ${pricesAsOf}`
  const catalogue: Catalogue = {
    schema: 'catalogue/1',
    source: `${prices}; models.dev ${hosts.commit.slice(0, 12)} of ${hosts.day}`,
    models,
    vendors: [...dataPolicies],
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
