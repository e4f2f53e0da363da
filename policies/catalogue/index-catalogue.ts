import type { Catalogue, CatalogueModel } from '@signalbox/sdk/contract'
import { patternsOf, withDashes } from './spelling-patterns.ts'

/** Finds models in a catalogue by vendor and any spelling. */
export interface CatalogueIndex {
  /**
   * The model that a name means, in any spelling and case; its `id` is what to send to the vendor. A dated
   * snapshot (`claude-opus-4-8-20260701`) comes back under its own id with the prices of its model. Without a
   * vendor the first one in the catalogue's order that lists the name counts. Undefined where the name is not
   * known: names are never guessed.
   */
  find(vendor: string | undefined, model: string): CatalogueModel | undefined
  /** Models of a vendor, by id; empty for a vendor that the catalogue does not know. */
  list(vendor: string): readonly CatalogueModel[]
}

interface VendorIndex {
  readonly models: CatalogueModel[]
  readonly byName: Map<string, CatalogueModel>
}

function findIn(index: VendorIndex, name: string): CatalogueModel | undefined {
  const lower = name.toLowerCase()
  const exact = index.byName.get(lower)
  if (exact !== undefined) return exact
  for (const pattern of patternsOf(lower)) {
    const model = index.byName.get(pattern)
    if (model === undefined) continue
    return { ...model, id: model.provider === 'anthropic' ? withDashes(lower) : name, spellings: [] }
  }
  return undefined
}

const known = new WeakMap<Catalogue, CatalogueIndex>()

/** The index of a catalogue, which nobody changes any more: one pass the first time, then look-ups are map reads. */
export function indexCatalogue(catalogue: Catalogue): CatalogueIndex {
  const index = known.get(catalogue) ?? buildIndex(catalogue)
  known.set(catalogue, index)
  return index
}

function buildIndex(catalogue: Catalogue): CatalogueIndex {
  const vendors = new Map<string, VendorIndex>()
  for (const model of catalogue.models) {
    const vendor: VendorIndex = vendors.get(model.provider) ?? { models: [], byName: new Map() }
    vendors.set(model.provider, vendor)
    vendor.models.push(model)
    for (const name of [model.id, ...model.spellings]) vendor.byName.set(name.toLowerCase(), model)
  }
  return {
    find(vendor, name) {
      if (vendor !== undefined) {
        const index = vendors.get(vendor)
        return index === undefined ? undefined : findIn(index, name)
      }
      for (const index of vendors.values()) {
        const model = findIn(index, name)
        if (model !== undefined) return model
      }
      return undefined
    },
    list: (vendor) => vendors.get(vendor)?.models ?? [],
  }
}
