import type { ParamValue } from '@signalbox/policies'
import type { CredentialSources } from '../credentials/resolve-credential.ts'
import type { Snapshot } from '../snapshot.ts'
import type { ActiveRelease } from './active-release.ts'
import type { ActiveState } from './active-state.ts'
import { resolveConnections } from './resolve-connections.ts'

type Params = Record<string, Record<string, ParamValue>>

/** Alias → targets; workspaces deeper in the tree come later and so win. */
function aliasesOf(release: ActiveRelease): ReadonlyMap<string, readonly string[]> {
  const { environment } = release.document
  const aliases = new Map<string, readonly string[]>()
  for (const { compiled } of release.versions) {
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
function paramsOf(release: ActiveRelease, state: ActiveState): Params {
  const params: Params = {}
  for (const { compiled } of release.versions) {
    const own: Params[string] = {}
    const declared = compiled.environments[release.document.environment]?.params ?? {}
    for (const [name, value] of Object.entries(declared)) {
      if (isParamValue(value)) own[name] = value
    }
    params[compiled.name] = { ...own, ...state.document.params[compiled.name] }
  }
  return params
}

/** Puts a release and a state together for calls. `revoked` is asked first, and may be newer than the state. */
export function buildSnapshot(
  release: ActiveRelease,
  state: ActiveState,
  options: { readonly sources: CredentialSources; readonly revoked: ReadonlySet<string> },
): Snapshot {
  const { revoked } = options
  const { keys } = state
  return {
    release: release.document,
    state: state.document,
    program: release.program,
    versions: release.versions,
    connections: resolveConnections(release.versions, release.document.environment, options.sources),
    aliases: aliasesOf(release),
    catalogue: release.catalogue,
    params: paramsOf(release, state),
    nodes: state.nodes,
    findKey: (hash) => (revoked.has(hash) ? 'revoked' : keys.find(hash)),
  }
}
