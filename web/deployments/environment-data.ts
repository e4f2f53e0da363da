import type { Deployment, GetDeploymentReply, GetReleaseReply, GetStatusReply, Version } from '@signalbox/sdk'
import { api } from '../api.ts'

export type Environment = GetStatusReply['environments'][number]
/** What the page of an environment shows. */
export interface EnvironmentData {
  readonly environment: Environment
  /** Each workspace with its candidate beside stable, and what shadows would have said. */
  readonly deployments: readonly GetDeploymentReply[]
  readonly requests: readonly Deployment[]
  readonly versions: readonly Version[]
  /** What the releases that gateways run decide with, in words. */
  readonly runs: ReadonlyMap<number, string>
}
const versionsMax = 100
const requestsShown = 20

/** Releases never change, so each is asked for once. */
const releases = new Map<string, GetReleaseReply | null>()

async function releaseOf(environment: string, sequence: number, signal: AbortSignal) {
  const key = `${environment} ${sequence}`
  const known = releases.get(key)
  if (known !== undefined) return known
  const release = await api()
    .getRelease({ environment, sequence }, { signal })
    .catch(() => null)
  if (!signal.aborted) releases.set(key, release)
  return release
}

function runsText(release: GetReleaseReply, versions: readonly Version[]): string {
  const name = (digest: string): string => {
    const found = versions.find((each) => each.digest === digest)
    return found === undefined ? digest.slice(7, 15) : `v${found.version}`
  }
  return release.workspaces
    .map(({ name: workspace, stable, candidate }) => {
      return `${workspace} ${name(stable)}${candidate === null ? '' : `, candidate ${name(candidate)}`}`
    })
    .join('; ')
}

/** Asks for all that the page of an environment shows. @throws Error where there is no such environment. */
export async function loadEnvironment(name: string, signal: AbortSignal): Promise<EnvironmentData> {
  const [{ environments }, approvals, { items: versions }] = await Promise.all([
    api().getStatus({ environment: name }, { signal }),
    api().listApprovals({ environment: name, limit: requestsShown }, { signal }),
    api().listVersions({ limit: versionsMax }, { signal }),
  ])
  const environment = environments.find((each) => each.name === name)
  if (environment === undefined) throw new Error(`There is no environment "${name}".`)
  const deployments = await Promise.all(
    environment.deployments.map(({ id }) => api().getDeployment({ id }, { signal })),
  )
  const sequences = new Set(
    environment.gateways.flatMap(({ release }) => (release === null ? [] : [release])),
  )
  const runs = new Map<number, string>()
  for (const sequence of sequences) {
    const release = await releaseOf(name, sequence, signal)
    if (release !== null) runs.set(sequence, runsText(release, versions))
  }
  return { environment, deployments, requests: approvals.items, versions, runs }
}
