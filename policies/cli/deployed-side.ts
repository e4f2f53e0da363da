import {
  type BuildResult,
  buildVersion,
  loadCatalogue,
  type PinnedCatalogue,
  type PlanSide,
  planSide,
  type SourceFiles,
} from '@signalbox/policies'
import type { Client } from '@signalbox/sdk'
import type { Catalogue } from '@signalbox/sdk/contract'
import { type DecidingVersion, decidingVersion } from './candidate-version.ts'
import { Failure } from './context.ts'

/** What is deployed, as it decides calls and in its intermediate form. */
export interface DeployedSide {
  readonly version: DecidingVersion
  readonly number: number
  readonly side: PlanSide
}

const filesAtOnce = 8

/** The sources of a version. */
async function sourcesOf(client: Client, digest: string): Promise<SourceFiles> {
  const { files } = await client.getVersion({ version: digest })
  const texts = new Map<string, string>()
  for (let at = 0; at < files.length; at += filesAtOnce) {
    const some = files.slice(at, at + filesAtOnce)
    const loaded = await Promise.all(some.map(({ path }) => client.getVersionFile({ version: digest, path })))
    for (const { path, text } of loaded) texts.set(path, text)
  }
  return texts
}

/** The catalogue that a version was made with, so that changes of prices are seen. */
async function catalogueOf(client: Client, digest: string): Promise<PinnedCatalogue> {
  const here = loadCatalogue()
  if (digest === here.digest) return here
  const catalogue = (await client.getCatalogueOf({ digest })) as Catalogue
  return { catalogue, text: JSON.stringify(catalogue), digest }
}

/** The intermediate form of what was built. @throws Failure where it does not compile (any more). */
export function sideOf(
  { version, analysis }: BuildResult,
  { files, catalogue, what }: { files: SourceFiles; catalogue: PinnedCatalogue; what: string },
): PlanSide {
  if (version === null || analysis === null) throw new Failure(`${what} does not compile`, 'check_failed')
  return planSide({ version, analysis }, files, catalogue)
}

/** The stable version of a workspace in an environment, built again from its sources; null where none is deployed. */
export async function deployedSide(
  client: Client,
  environment: string,
  workspace: string,
): Promise<DeployedSide | null> {
  const { environments } = await client.getStatus({ environment })
  const deployment = environments
    .flatMap((each) => each.deployments)
    .find((each) => each.workspace === workspace)
  if (deployment === undefined) return null
  const { digest, version: number } = deployment.stable
  const build = (await client.getBuild({ version: digest })) as Parameters<typeof decidingVersion>[0]
  const files = await sourcesOf(client, digest)
  const catalogue = await catalogueOf(client, build.catalogue)
  const built = await buildVersion(files, { catalogue, typeCheck: false })
  const side = sideOf(built, { files, catalogue, what: `v${number}, which is deployed in ${environment},` })
  return { version: decidingVersion(build), number, side }
}
