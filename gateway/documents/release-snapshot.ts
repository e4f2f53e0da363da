import type { ParamValue, Program, SwitchedOff } from '@signalbox/policies'
import type { CredentialSources } from '../credentials/resolve-credential.ts'
import type { ReleasedRollout, ReleasedShadow, ReleasedVersion, Snapshot } from '../snapshot.ts'
import type { ActiveRelease } from './active-release.ts'
import type { ActiveState } from './active-state.ts'
import { resolveConnections } from './resolve-connections.ts'

type Params = Record<string, Record<string, ParamValue>>

/** Alias → targets; workspaces deeper in the tree come later and so win. */
function aliasesOf(
  versions: readonly ReleasedVersion[],
  environment: string,
): ReadonlyMap<string, readonly string[]> {
  const aliases = new Map<string, readonly string[]>()
  for (const { compiled } of versions) {
    const models = { ...compiled.models, ...compiled.environments[environment]?.models }
    for (const [alias, targets] of Object.entries(models)) aliases.set(alias, targets)
  }
  return aliases
}

function isParamValue(value: unknown): value is ParamValue {
  if (Array.isArray(value)) return value.every((item) => typeof item === 'string')
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}

/** Hot values over the environment's own; defaults and types are the sandbox's business. */
function paramsOf(versions: readonly ReleasedVersion[], environment: string, state: ActiveState): Params {
  const params: Params = {}
  for (const { compiled } of versions) {
    const own: Params[string] = {}
    const declared = compiled.environments[environment]?.params ?? {}
    for (const [name, value] of Object.entries(declared)) {
      if (isParamValue(value)) own[name] = value
    }
    params[compiled.name] = { ...own, ...state.document.params[compiled.name] }
  }
  return params
}

/** A candidate of a release from before rollouts had names is known by its deployment. */
function rolloutsOf(release: ActiveRelease, state: ActiveState): ReleasedRollout[] {
  if (state.document.freeze?.candidates === true) return []
  return release.document.workspaces.flatMap(({ name, deploymentId, stable, candidate }, at) => {
    if (candidate === null) return []
    const { version, ppm, teams, salt, rollout = deploymentId, by = 'user', tripwire = null } = candidate
    const drawn = { ppm, teams: new Set(teams), by, salt, tripwire }
    return { deploymentId, id: rollout, workspace: name, at, stable, candidate: version, ...drawn }
  })
}

/** The policies that a freeze keeps from being asked. */
function switchedOffBy({ document }: ActiveState): readonly SwitchedOff[] {
  return document.freeze?.policies ?? []
}

/** Programs of a release, kept over changes of the state with what they have worked out. */
const views = new WeakMap<ActiveRelease, Map<string, Program>>()

function viewOf(
  release: ActiveRelease,
  chosen: readonly number[],
  switchedOff: readonly SwitchedOff[],
): Program {
  const known = views.get(release) ?? new Map<string, Program>()
  views.set(release, known)
  const key = JSON.stringify([chosen, switchedOff])
  const view = known.get(key) ?? release.program.view(chosen, switchedOff)
  known.set(key, view)
  return view
}

export interface SnapshotOptions {
  readonly sources: CredentialSources
  readonly revoked: ReadonlySet<string>
}

/** Puts versions of a release, one for each workspace, and a state together. */
function snapshotWith(
  release: ActiveRelease,
  state: ActiveState,
  chosen: readonly number[],
  { sources, revoked }: SnapshotOptions,
): Snapshot {
  const { keys } = state
  const { environment } = release.document
  const versions = chosen.flatMap((index) => release.versions[index] ?? [])
  const switchedOff = switchedOffBy(state)
  return {
    release: release.document,
    state: state.document,
    program: viewOf(release, chosen, switchedOff),
    versions,
    connections: resolveConnections(versions, environment, sources),
    aliases: aliasesOf(versions, environment),
    catalogue: release.catalogue,
    params: paramsOf(versions, environment, state),
    nodes: state.nodes,
    ...(switchedOff.length > 0 && { switchedOff }),
    findKey: (hash) => (revoked.has(hash) ? 'revoked' : keys.find(hash)),
  }
}

/**
 * Puts a release and a state together for calls. `revoked` is asked first, and may be newer than the state. What
 * candidates and shadows decide with is put together when the first call needs it.
 */
export function buildSnapshot(
  release: ActiveRelease,
  state: ActiveState,
  options: SnapshotOptions,
): Snapshot {
  const { lanes } = release
  const stable = lanes.map((lane) => lane.stable)
  const made = new Map<string, Snapshot>()
  const variant = (chosen: readonly number[]): Snapshot => {
    const key = chosen.join()
    const known = made.get(key) ?? snapshotWith(release, state, chosen, options)
    made.set(key, known)
    return known
  }
  const shadows = lanes.flatMap((lane, at) =>
    lane.shadows.flatMap((index): ReleasedShadow[] => {
      const workspace = release.document.workspaces[at]
      const version = release.versions[index]?.digest
      if (workspace === undefined || version === undefined) return []
      const { deploymentId, name, shadowPpm: ppm = 1_000_000 } = workspace
      const chosen = stable.map((each, lane) => (lane === at ? index : each))
      return [{ deploymentId, workspace: name, at, version, ppm, snapshot: () => variant(chosen) }]
    }),
  )
  return {
    ...snapshotWith(release, state, stable, options),
    rollouts: rolloutsOf(release, state),
    ...(shadows.length > 0 && { shadows }),
    withCandidates: (at) =>
      variant(
        lanes.map((lane, index) => (at.includes(index) ? (lane.candidate ?? lane.stable) : lane.stable)),
      ),
  }
}
