import type { CatalogueModel, modelCapabilities, PriceRow } from '@signalbox/sdk/contract'
import { type CatalogueIndex, indexCatalogue } from './index-catalogue.ts'
import { type ModelsDevLine, pricesOfLine } from './models-dev.ts'
import { matches, readPriceData } from './price-data.ts'
import { tierOf } from './tier-of.ts'
import { type Vendor, vendors, visibleOutputOf } from './vendors.ts'

type Facts = Pick<
  CatalogueModel,
  'capabilities' | 'inputs' | 'outputs' | 'openWeights' | 'released' | 'deprecated' | 'outputTokensMax'
>

function factsOf(line: ModelsDevLine): Facts {
  return {
    // Made by `import-models-dev.ts` from these words only.
    capabilities: line.capabilities as (typeof modelCapabilities)[number][],
    ...(line.in !== undefined && { inputs: [...line.in] }),
    ...(line.out !== undefined && { outputs: [...line.out] }),
    ...(line.open === true && { openWeights: true }),
    ...(line.released !== undefined && { released: line.released }),
    ...(line.deprecated === true && { deprecated: true }),
    ...(line.output !== undefined && { outputTokensMax: line.output }),
  }
}

const outputPrice = (rows: readonly PriceRow[] | undefined): number => rows?.[0]?.units.output ?? -1

const read = new Map<string, ReturnType<typeof readPriceData>>()

function dataOf({ dataId }: Vendor): ReturnType<typeof readPriceData> {
  const data = read.get(dataId) ?? readPriceData(dataId)
  read.set(dataId, data)
  return data
}

/**
 * Prices of a line. Where a clause of the price data takes the name too (`regional.anthropic.…` for `eu.anthropic.…`),
 * the dearer of the two, so that no budget is charged too little.
 */
function pricesOf(
  line: ModelsDevLine,
  vendor: Vendor | undefined,
  index: CatalogueIndex,
): PriceRow[] | undefined {
  const listed = pricesOfLine(line)
  if (vendor === undefined) return listed
  const taker = dataOf(vendor).find(({ match }) => matches(match, line.id))
  const own = taker === undefined ? undefined : index.find(vendor.name, taker.id)?.prices
  return own === undefined || outputPrice(listed) > outputPrice(own) ? listed : own
}

function modelOf(line: ModelsDevLine, index: CatalogueIndex): CatalogueModel {
  const vendor = vendors.find(({ name }) => name === line.host)
  const prices = pricesOf(line, vendor, index)
  const visibleOutput = vendor === undefined ? undefined : visibleOutputOf(vendor, line.id)
  return {
    provider: line.host,
    id: line.id,
    spellings: [],
    ...(line.name !== undefined && { name: line.name }),
    ...(prices !== undefined && { prices }),
    ...(line.context !== undefined && { contextTokens: line.context }),
    tier: tierOf(prices),
    ...(visibleOutput !== undefined && { visibleOutput }),
    ...(vendor?.abortStopsBilling !== undefined && { abortStopsBilling: vendor.abortStopsBilling }),
    ...factsOf(line),
  }
}

function withFree(model: CatalogueModel): CatalogueModel {
  const prices = model.prices?.flatMap(({ units }) => Object.values(units)) ?? []
  return prices.length > 0 && prices.every((price) => price === 0) ? { ...model, free: true } : model
}

/**
 * The models of the price data with what the hosts' list knows beside, then the models that only that list has. The
 * price data have the last word on prices, also where they say that a price cannot be given.
 */
export function addHosts(
  own: readonly CatalogueModel[],
  lines: readonly ModelsDevLine[],
): readonly CatalogueModel[] {
  const index = indexCatalogue({ schema: 'catalogue/1', source: '', models: [...own] })
  const facts = new Map<CatalogueModel, Facts & Pick<CatalogueModel, 'contextTokens'>>()
  const others: CatalogueModel[] = []
  for (const line of lines) {
    const known = index.find(line.host, line.id)
    if (known === undefined) {
      const only = vendors.find(({ name }) => name === line.host)?.only
      if (only?.test(line.id) ?? true) others.push(modelOf(line, index))
      continue
    }
    // A dated snapshot is found under its model, and is not the object that stands in the list.
    const context = line.context === undefined ? {} : { contextTokens: line.context }
    if (known.id.toLowerCase() === line.id.toLowerCase() || !facts.has(known)) {
      facts.set(known, { ...context, ...factsOf(line) })
    }
  }
  return [...own.map((model) => ({ ...facts.get(model), ...model })), ...others].map(withFree)
}
