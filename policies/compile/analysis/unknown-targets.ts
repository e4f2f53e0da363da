import { hosts, nativeConnections, providers, type WorkspaceFile } from '@signalbox/sdk/contract'
import type { CatalogueIndex } from '../../catalogue/index-catalogue.ts'
import { didYouMean } from '../near-name.ts'
import type { ProblemList } from '../problem-list.ts'
import type { DocumentPath } from '../source-document.ts'
import type { ReadWorkspaceFile } from '../workspace-file.ts'

/** Adapters, and hosts that differ from one of them by data alone. */
const known: ReadonlySet<string> = new Set([...providers, ...hosts.keys()])

/** The vendor whose models a connection has, where the catalogue lists them. */
function vendorOf(
  connection: string,
  workspace: WorkspaceFile,
  catalogue: CatalogueIndex,
): string | undefined {
  const declared = workspace.connections?.[connection] ?? nativeConnections[connection]
  const vendor = [declared?.provider, declared?.locality === 'on-prem' ? undefined : connection]
  return vendor.find((name) => name !== undefined && catalogue.list(name).length > 0)
}

/** What a target of a vendor that the catalogue knows is called wrong; undefined where it is listed, or own. */
export function unknownTarget(
  target: string,
  workspace: WorkspaceFile,
  catalogue: CatalogueIndex,
): string | undefined {
  if (workspace.catalogue?.[target] !== undefined) return undefined
  const slash = target.indexOf('/')
  const id = target.slice(slash + 1)
  const vendor = vendorOf(target.slice(0, slash), workspace, catalogue)
  if (vendor === undefined || catalogue.find(vendor, id) !== undefined) return undefined
  const hint = didYouMean(
    id,
    catalogue.list(vendor).map((model) => model.id),
  )
  return `the catalogue lists no model "${id}" of ${vendor}${hint}; if it is new, give its prices under "catalogue"`
}

/** Providers that no gateway has an adapter for, of connections and of what environments make of them. */
export function reportUnknownProviders(
  { workspace, document }: ReadWorkspaceFile,
  problems: ProblemList,
): void {
  const check = (connections: object, path: DocumentPath) => {
    for (const [name, connection] of Object.entries(connections)) {
      const provider: unknown = Object(connection).provider
      if (typeof provider !== 'string' || known.has(provider)) continue
      const own = `there is ${providers.join(', ')}, and ${hosts.size} hosts by name`
      const message = `unknown provider "${provider}"; ${own}${didYouMean(provider, [...known])}`
      document.report(problems, [...path, name, 'provider'], { code: 'unknown_provider', message })
    }
  }
  check(workspace.connections ?? {}, ['connections'])
  for (const [name, environment] of Object.entries(workspace.environments ?? {})) {
    check(environment.connections ?? {}, ['environments', name, 'connections'])
  }
}
