import type { Facts, PriceRow } from '@signalbox/sdk/contract'
import type { CatalogueIndex } from '../catalogue/index-catalogue.ts'
import { withOverride } from '../catalogue/usage-cost.ts'
import type { LayerPath } from '../evaluation/layer-path.ts'
import { columnsFor, type ExplainedVersion, isOnPath, namesOfVersions } from '../explain/recompute.ts'
import type { Engine, ModelColumns, ParamValue, ParamValues, Program } from '../program.ts'
import { type LoadedDeciders, loadDeciders } from '../replay/replayer.ts'

/** Versions that decide together, with what names and prices mean to them. */
export interface World {
  readonly versions: readonly ExplainedVersion[]
  readonly program: Program
  readonly names: LayerPath
  /** Facts that any of them reads. */
  readonly reads: readonly string[]
  models(facts: Facts): readonly ModelColumns[]
  columns(target: string): ModelColumns
  /** Undefined where the price of a target is not known. */
  prices(target: string): readonly PriceRow[] | undefined
}
export interface WorldOptions {
  readonly engine: Engine
  readonly environment: string
  readonly catalogue: CatalogueIndex
}

const pricesMax = 4096

function pricesFor(
  versions: readonly ExplainedVersion[],
  columns: World['columns'],
  catalogue: CatalogueIndex,
): World['prices'] {
  const known = new Map<string, readonly PriceRow[] | undefined>()
  const find = (target: string): readonly PriceRow[] | undefined => {
    const { connection, provider, locality } = columns(target)
    const id = target.slice(target.indexOf('/') + 1)
    const byName = locality === 'cloud' ? catalogue.find(connection, id) : undefined
    const model = catalogue.find(provider, id) ?? byName
    // The nearest workspace's word is the last one.
    const own = versions.findLast(({ compiled }) => compiled.catalogue[target] !== undefined)
    return withOverride(model?.prices, own?.compiled.catalogue[target])
  }
  return (target) => {
    if (known.has(target)) return known.get(target)
    const prices = find(target)
    if (known.size < pricesMax) known.set(target, prices)
    return prices
  }
}

/** What model names mean and cost to versions. */
export interface NamedPrices {
  readonly prices: World['prices']
  /** The target of a model name, of an alias the first; undefined where it means nothing. */
  target(name: string): string | undefined
}

/** Names and prices of versions, root first; of the catalogue alone where there are none. */
export function pricesOfVersions(
  versions: readonly ExplainedVersion[],
  { environment, catalogue }: Pick<WorldOptions, 'environment' | 'catalogue'>,
): NamedPrices {
  const names = namesOfVersions(versions, environment)
  const columns = columnsFor(versions, environment, catalogue)
  return { prices: pricesFor(versions, columns, catalogue), target: (name) => names.targets(name)?.[0] }
}

/** Loads versions, root first. Throws where a script does not load here. */
export function worldOf(versions: readonly ExplainedVersion[], options: WorldOptions): World {
  const { engine, environment, catalogue } = options
  const loaded: LoadedDeciders = loadDeciders(engine, versions, { environment, catalogue })
  const columns = columnsFor(versions, environment, catalogue)
  return {
    versions,
    program: loaded.program,
    names: namesOfVersions(versions, environment),
    reads: [...new Set(versions.flatMap(({ compiled }) => compiled.reads))],
    models: loaded.models,
    columns,
    prices: pricesFor(versions, columns, catalogue),
  }
}

/**
 * The versions that would decide a call with one of them replaced: of the same workspace. A workspace that did not
 * decide yet comes in where its node is on the path of the caller.
 */
export function replaceVersion(
  versions: readonly ExplainedVersion[],
  replacement: ExplainedVersion,
  callerPath: readonly string[],
): readonly ExplainedVersion[] {
  const { name } = replacement.compiled
  const at = versions.findIndex(({ compiled }) => compiled.name === name)
  if (at !== -1) {
    return versions.map((version, index) =>
      index === at ? { ...replacement, nodePath: version.nodePath } : version,
    )
  }
  if (!isOnPath(replacement.nodePath, callerPath)) return versions
  return [...versions, replacement].sort(
    (one, other) =>
      one.nodePath.length - other.nodePath.length || (one.compiled.name < other.compiled.name ? -1 : 1),
  )
}

/**
 * Hot values among recorded params: without those that the version of the time declared for its environment, since
 * another version may declare others.
 */
export function hotParams(
  params: ParamValues,
  versions: readonly ExplainedVersion[],
  environment: string,
): ParamValues {
  const hot: Record<string, Record<string, ParamValue>> = {}
  for (const [workspace, values] of Object.entries(params)) {
    const compiled = versions.find((each) => each.compiled.name === workspace)?.compiled
    const declared = compiled?.environments[environment]?.params ?? {}
    const kept = Object.entries(values).filter(
      ([name, value]) => JSON.stringify(declared[name]) !== JSON.stringify(value),
    )
    hot[workspace] = Object.fromEntries(kept)
  }
  return hot
}
