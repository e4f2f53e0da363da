import type { CompiledWorkspace } from '@signalbox/sdk/contract'
import type { CatalogueIndex } from '../catalogue/index-catalogue.ts'
import { shiftDecimal } from '../catalogue/shift-decimal.ts'
import type { LayerPath } from '../evaluation/layer-path.ts'
import type { ModelColumns } from '../program.ts'

/** USD per million tokens → pico-dollars per token, rounded up. */
function picoUsd(usdPerMillion: number | undefined): number | undefined {
  if (usdPerMillion === undefined) return undefined
  return shiftDecimal(usdPerMillion, 6) ?? Math.ceil(usdPerMillion * 1e6)
}

/**
 * What is known of a target: from its connection, as `names` has it, from the catalogue, and from the
 * workspace.
 */
export function columnsOf(
  target: string,
  options: { compiled: CompiledWorkspace; names: LayerPath; catalogue: CatalogueIndex },
): ModelColumns {
  const { compiled, names, catalogue } = options
  const columns = names.columns(target)
  const id = target.slice(target.indexOf('/') + 1)
  // A compatible server's models are a vendor's only where its connection is called after that vendor.
  const byName = columns.locality === 'cloud' ? catalogue.find(columns.connection, id) : undefined
  const model = catalogue.find(columns.provider, id) ?? byName
  const own = compiled.catalogue[target]
  const units = model?.prices?.[0]?.units
  const contextTokens = own?.contextTokens ?? model?.contextTokens
  const inputPico = picoUsd(own?.input) ?? units?.input
  const outputPico = picoUsd(own?.output) ?? units?.output
  return {
    ...columns,
    tier: model?.tier ?? 'unknown',
    ...(contextTokens !== undefined && { contextTokens }),
    ...(inputPico !== undefined && { inputPico }),
    ...(outputPico !== undefined && { outputPico }),
  }
}
