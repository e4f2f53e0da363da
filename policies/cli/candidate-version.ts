import { buildVersion, type ExplainedVersion, loadCatalogue, loadWorkspaceFolder } from '@signalbox/policies'
import type { Client } from '@signalbox/sdk'
import type { VersionBuild } from '@signalbox/sdk/contract'
import { Failure } from './context.ts'
import type { Output } from './output.ts'
import { reportProblems } from './problems.ts'

/** A version as calls are decided with it. */
export interface DecidingVersion extends ExplainedVersion {
  readonly script: string
}

/** The version of a folder. @throws Failure where it does not compile; its problems are printed. */
export async function versionOfFolder(folder: string, output: Output): Promise<DecidingVersion> {
  const sources = await loadWorkspaceFolder(folder)
  const { problems, version } = await buildVersion(sources, { catalogue: loadCatalogue(), typeCheck: false })
  if (version === null) {
    reportProblems(problems, output)
    throw new Failure(`${folder} does not compile`, 'check_failed')
  }
  const { digest, script, compiled } = version
  const nodePath = compiled.node.split('/').filter((name) => name !== '')
  return { digest, script, compiled, nodePath }
}

/** A version that the control plane keeps. @throws Failure where its script is gone. */
export function decidingVersion(build: VersionBuild): DecidingVersion {
  const { digest, script, compiled, version } = build
  if (script === null) throw new Failure(`the script of v${version} is not kept any more`, 'not_found')
  const nodePath = compiled.node.split('/').filter((name) => name !== '')
  return { digest, script, compiled, number: version, nodePath }
}

/** The version of a workspace that is stable in an environment; undefined where none is deployed there. */
export async function deployedVersion(
  client: Client,
  environment: string,
  workspace: string,
): Promise<DecidingVersion | undefined> {
  const { environments } = await client.getStatus({ environment })
  const deployments = environments.flatMap((each) => each.deployments)
  const found = deployments.find((each) => each.workspace === workspace)
  if (found === undefined) return undefined
  // The client's documents are those of the contract; their types are written out twice.
  return decidingVersion((await client.getBuild({ version: found.stable.digest })) as VersionBuild)
}
