import type { CatalogueModel, CatalogueVendor, CompiledWorkspace, ConnectionStatus } from '@signalbox/sdk'

/** A model of the catalogue as an environment sees it. */
export interface OfferedModel {
  /** `vendor/id`; unique. */
  readonly key: string
  /** With the workspace's own prices and limits in place. */
  readonly model: CatalogueModel
  /** The workspace says itself what it costs or how large it is. */
  readonly isDeclared: boolean
  /** Through which it can be reached here. */
  readonly connections: readonly ConnectionStatus[]
  /** Names of the workspace that lead to it, first or as a fallback. */
  readonly aliases: readonly string[]
  /** What its vendor's terms say of data. */
  readonly vendor: CatalogueVendor | undefined
}
type Override = CompiledWorkspace['catalogue'][string]

const picoPerMillion = 1e6
const priceUnits = ['input', 'output', 'cacheRead', 'cacheWrite5m', 'cacheWrite1h'] as const
const limitNames = ['contextTokens', 'outputTokensMax', 'visibleOutput', 'abortStopsBilling'] as const
/** Connections of other providers than these are to the vendor of their provider's name. */
const vendorOf: Readonly<Record<string, string>> = { gemini: 'google', vertex: 'google' }

/** Spellings have `#` where any digit may stand. */
function isCalled(model: CatalogueModel, name: string): boolean {
  const wanted = name.toLowerCase()
  return [model.id, ...model.spellings].some((spelling) => {
    if (!spelling.includes('#')) return spelling.toLowerCase() === wanted
    return spelling.length === wanted.length && spelling.toLowerCase() === masked(wanted, spelling)
  })
}

const masked = (name: string, spelling: string): string =>
  [...name].map((each, index) => (spelling[index] === '#' && /\d/.test(each) ? '#' : each)).join('')

function withOverride(model: CatalogueModel, override: Override): CatalogueModel {
  const units = Object.fromEntries(
    priceUnits.flatMap((unit) => {
      const price = override[unit]
      return price === undefined ? [] : [[unit, Math.round(price * picoPerMillion)]]
    }),
  )
  const hasPrices = Object.keys(units).length > 0
  const rows = model.prices ?? []
  const prices =
    rows.length === 0 ? [{ units }] : rows.map((row) => ({ ...row, units: { ...row.units, ...units } }))
  const limits = limitNames.flatMap((name) => (override[name] === undefined ? [] : [[name, override[name]]]))
  return { ...model, ...Object.fromEntries(limits), ...(hasPrices && { prices }) }
}

/** Splits `connection/model`, and finds the connection. */
function targetOf(
  name: string,
  connections: readonly ConnectionStatus[],
): { connection: ConnectionStatus; id: string } | undefined {
  const slash = name.indexOf('/')
  const connection = connections.find((each) => each.name === name.slice(0, slash))
  return connection === undefined ? undefined : { connection, id: name.slice(slash + 1) }
}

interface Workspaces {
  readonly models: readonly CatalogueModel[]
  readonly vendors: readonly CatalogueVendor[]
  readonly connections: readonly ConnectionStatus[]
  readonly aliases: readonly (readonly [name: string, targets: readonly string[]])[]
  readonly overrides: readonly (readonly [target: string, override: Override])[]
}

/**
 * Joins what the catalogue knows with what an environment has. Models that can be reached here come
 * first, those that the workspace names before others, then the newest.
 */
export function joinModels({ models, vendors, connections, aliases, overrides }: Workspaces): OfferedModel[] {
  const vendorFor = ({ provider }: ConnectionStatus): string => vendorOf[provider] ?? provider
  const byTarget = (name: string, model: CatalogueModel): boolean => {
    const target = targetOf(name, connections)
    if (target === undefined) return false
    const isOwn = target.connection.name === model.provider || vendorFor(target.connection) === model.provider
    return isOwn && isCalled(model, target.id)
  }
  const known = (name: string): boolean => models.some((model) => byTarget(name, model))
  // Models of servers that no catalogue knows go by the connection's name.
  const others: CatalogueModel[] = overrides
    .filter(([name]) => !known(name))
    .flatMap(([name]) => {
      const target = targetOf(name, connections)
      return target === undefined ? [] : [{ provider: target.connection.name, id: target.id, spellings: [] }]
    })
  const joined = [...others, ...models].map((found) => {
    const override = overrides.find(([name]) => byTarget(name, found))
    const model = override === undefined ? found : withOverride(found, override[1])
    return {
      key: `${model.provider}/${model.id}`,
      model,
      isDeclared: override !== undefined,
      connections: connections.filter(
        (each) => each.name === model.provider || vendorFor(each) === model.provider,
      ),
      aliases: aliases
        .filter(([, targets]) => targets.some((target) => byTarget(target, model)))
        .map(([name]) => name),
      vendor: vendors.find(({ name }) => name === model.provider),
    }
  })
  const rank = ({ connections: reached, aliases: names, isDeclared }: OfferedModel): number =>
    Number(reached.length > 0) * 2 + Number(names.length > 0 || isDeclared)
  return joined.toSorted(
    (a, b) => rank(b) - rank(a) || (b.model.released ?? '').localeCompare(a.model.released ?? ''),
  )
}
