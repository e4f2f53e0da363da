import { api } from '../api.ts'
import { joinModels, type OfferedModel } from './offered-models.ts'

export interface ModelCatalogue {
  readonly source: string
  readonly models: readonly OfferedModel[]
}

/** The models of an environment: its workspaces' catalogue, connections, aliases and own prices. */
export async function loadModels(environment: string, signal: AbortSignal): Promise<ModelCatalogue> {
  const [{ environments }, { items: connections }] = await Promise.all([
    api().getStatus({}, { signal }),
    api().listConnections({ environment }, { signal }),
  ])
  const deployed = environments.find(({ name }) => name === environment)?.deployments ?? []
  const builds = await Promise.all(
    deployed.map(({ stable }) => api().getBuild({ version: stable.digest }, { signal })),
  )
  const [first] = builds
  const catalogue = await (first === undefined
    ? api().getCatalogue({ signal })
    : api().getCatalogueOf({ digest: first.catalogue }, { signal }))
  const workspaces = builds.map(({ compiled }) => compiled)
  return {
    source: catalogue.source,
    models: joinModels({
      models: catalogue.models,
      vendors: catalogue.vendors ?? [],
      connections,
      aliases: workspaces.flatMap((each) =>
        Object.entries({ ...each.models, ...each.environments[environment]?.models }),
      ),
      overrides: workspaces.flatMap((each) => Object.entries(each.catalogue)),
    }),
  }
}
