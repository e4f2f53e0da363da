import type { ModelColumns } from '@signalbox/policies'
import type { CatalogueModel, CatalogueOverride, PriceRow } from '@signalbox/sdk/contract'
import type { Static } from 'typebox'
import type { Call, WireFormat } from './call.ts'
import { nativeProvider } from './native-operation.ts'
import { withOverride } from './prices.ts'
import type { Provider, ProviderFormat } from './provider.ts'
import type { ResolvedConnection, Snapshot } from './snapshot.ts'

/** A connection and a model with everything that is known of them. */
export interface Target {
  /** As it was asked for: `openai/gpt-5.5`. */
  readonly name: string
  /** What callers and records read: `simulated/gpt-5.5` where the simulated provider answers. */
  readonly shownName: string
  readonly connection: ResolvedConnection
  readonly provider: Provider
  /** Model id as the upstream spells it. */
  readonly model: string
  /** Undefined where the catalogue does not know the model. */
  readonly row: CatalogueModel | undefined
  /** Undefined where the price is not known. */
  readonly prices: readonly PriceRow[] | undefined
  readonly outputTokensMax: number | undefined
  readonly contextTokens: number | undefined
  /** All that it writes is shown; undefined where that is not known. */
  readonly visibleOutput: boolean | undefined
  /** It bills nothing that it would have written after an abort; undefined where that is not known. */
  readonly abortStopsBilling: boolean | undefined
  /** What policies know of it. */
  readonly columns: ModelColumns
}

/**
 * The target as it is asked in a call of this format: in the caller's own where the upstream speaks it, so that the
 * bytes can pass; else in the first that its connection or provider names.
 */
export function speaking(target: Target, format: WireFormat): Target {
  const { provider, connection } = target
  const { otherFormats } = provider
  if (otherFormats === undefined) return target
  const spoken: readonly ProviderFormat[] = connection.formats ??
    provider.formatsOf?.(target.model) ??
    provider.spokenFormats ?? [provider.format]
  const wanted = spoken.includes(format) ? format : spoken[0]
  if (wanted === undefined || wanted === provider.format) return target
  const other = wanted in otherFormats ? otherFormats[wanted as WireFormat] : undefined
  return other === undefined ? target : { ...target, provider: other }
}

/** The target as it serves a call: in a format that it speaks, or passed on as the call is. */
export function serving(target: Target, { native, format }: Pick<Call, 'native' | 'format'>): Target {
  if (native === undefined) return speaking(target, format)
  return { ...target, provider: nativeProvider(target.provider, native, format) }
}

/** Where a connection's calls go; undefined where neither it nor its provider says so. */
export function baseUrlOf(connection: ResolvedConnection, provider: Provider): string | undefined {
  if (connection.baseUrl !== undefined) return connection.baseUrl
  const { baseUrl } = provider
  if (baseUrl === undefined) return provider.baseUrlOf?.(connection)
  if (!baseUrl.includes('{region}')) return baseUrl
  return connection.region === undefined ? undefined : baseUrl.replace('{region}', connection.region)
}

type Override = Static<typeof CatalogueOverride>

/** Targets that are kept ready; callers can name any number of models, so the rest is worked out each time. */
const cachedMax = 2048

/** All targets of a snapshot, by any spelling. */
export interface TargetTable {
  /** Undefined where the left part is no connection of this gateway, or of a provider it does not know. */
  find(name: string): Target | undefined
  /** The vendor whose catalogue rows hold for a connection; undefined where none is known. */
  vendorOf(connection: ResolvedConnection): string | undefined
  /** `connection/model` with the model as its vendor spells it. */
  canonicalName(connection: ResolvedConnection, model: string): string
  readonly connections: ReadonlyMap<string, ResolvedConnection>
  /** Targets that a workspace says something of in `catalogue:`. */
  readonly declared: readonly string[]
}

function overridesOf(snapshot: Snapshot): Map<string, Override> {
  const overrides = new Map<string, Override>()
  // Root first, so that the nearest workspace's word is the last one.
  for (const { compiled } of snapshot.versions) {
    for (const [target, override] of Object.entries(compiled.catalogue)) overrides.set(target, override)
  }
  return overrides
}

function columnsOf(
  name: string,
  connection: ResolvedConnection,
  row: CatalogueModel | undefined,
  prices: readonly PriceRow[] | undefined,
  contextTokens: number | undefined,
): ModelColumns {
  const units = prices?.[0]?.units
  return {
    target: name,
    connection: connection.name,
    provider: connection.provider,
    locality: connection.locality,
    ...(connection.region !== undefined && { region: connection.region }),
    tier: row?.tier ?? 'unknown',
    ...(contextTokens !== undefined && { contextTokens }),
    ...(units?.input !== undefined && { inputPico: units.input }),
    ...(units?.output !== undefined && { outputPico: units.output }),
  }
}

function createTable(snapshot: Snapshot, providers: ReadonlyMap<string, Provider>): TargetTable {
  const { connections, catalogue } = snapshot
  const overrides = overridesOf(snapshot)
  const known = new Map<string, Target | undefined>()

  // A compatible server's rows are its vendor's only where its connection is called after that vendor, as the native
  // ones are: the same model costs something else elsewhere.
  function vendorOf(connection: ResolvedConnection): string | undefined {
    const vendor = providers.get(connection.provider)?.vendor
    if (vendor !== undefined) return vendor
    if (connection.locality !== 'cloud') return undefined
    return catalogue.list(connection.name).length > 0 ? connection.name : undefined
  }
  function rowOf(connection: ResolvedConnection, model: string): CatalogueModel | undefined {
    const vendor = vendorOf(connection)
    return vendor === undefined ? undefined : catalogue.find(vendor, model)
  }
  function create(name: string): Target | undefined {
    const slash = name.indexOf('/')
    const connection = connections.get(name.slice(0, slash))
    const provider = connection === undefined ? undefined : providers.get(connection.provider)
    if (slash < 1 || slash === name.length - 1 || connection === undefined || provider === undefined) {
      return undefined
    }
    const asked = name.slice(slash + 1)
    const row = rowOf(connection, asked)
    const model = row?.id ?? asked
    const override = overrides.get(name) ?? overrides.get(`${connection.name}/${model}`)
    const prices = withOverride(row?.prices, override)
    const contextTokens = override?.contextTokens ?? row?.contextTokens
    return {
      name,
      shownName: connection.status === 'simulated' ? `simulated/${model}` : `${connection.name}/${model}`,
      connection,
      provider,
      model,
      row,
      prices,
      outputTokensMax: override?.outputTokensMax ?? row?.outputTokensMax,
      contextTokens,
      visibleOutput: override?.visibleOutput ?? row?.visibleOutput,
      abortStopsBilling: override?.abortStopsBilling ?? row?.abortStopsBilling,
      columns: columnsOf(name, connection, row, prices, contextTokens),
    }
  }
  return {
    connections,
    declared: [...overrides.keys()],
    vendorOf,
    canonicalName: (connection, model) => `${connection.name}/${rowOf(connection, model)?.id ?? model}`,
    find(name) {
      const target = known.get(name)
      if (target !== undefined) return target
      const created = create(name)
      if (created !== undefined && known.size < cachedMax) known.set(name, created)
      return created
    },
  }
}

const tables = new WeakMap<Snapshot, TargetTable>()

/** The targets of a snapshot; made once for each. */
export function targetsOf(snapshot: Snapshot, providers: ReadonlyMap<string, Provider>): TargetTable {
  let table = tables.get(snapshot)
  if (table === undefined) {
    table = createTable(snapshot, providers)
    tables.set(snapshot, table)
  }
  return table
}
