import { type Connection, hostConnections, nativeConnections } from '@signalbox/sdk/contract'
import {
  type CredentialSources,
  type ResolvedCredential,
  resolveCredential,
} from '../credentials/resolve-credential.ts'
import type { ConnectionState, ReleasedVersion, ResolvedConnection } from '../snapshot.ts'

/** The environment in which native connections without a credential answer from the simulated provider. */
const simulatingEnvironment = 'development'

/**
 * Connections by name: the native ones, replaced by what workspaces declare, with the environment's overrides. Where
 * two workspaces declare the same name the one nearer to the root has it: a team may add connections, not bend those
 * of the others.
 */
function declaredConnections(
  versions: readonly ReleasedVersion[],
  environment: string,
  found: readonly [string, Connection][],
): ReadonlyMap<string, Connection> {
  const connections = new Map([...found, ...Object.entries(nativeConnections)])
  for (const { compiled } of versions.toReversed()) {
    for (const [name, connection] of Object.entries(compiled.connections)) connections.set(name, connection)
    const overrides = compiled.environments[environment]?.connections ?? {}
    for (const [name, override] of Object.entries(overrides)) {
      const declared = connections.get(name)
      if (declared !== undefined) connections.set(name, { ...declared, ...override })
      else if (override.provider !== undefined) {
        connections.set(name, { ...override, provider: override.provider })
      }
    }
  }
  return connections
}

/** Local servers that run beside this gateway, by id: `ollama,vllm`. `npm start` looks for them; `off` for none. */
const localServersVariable = 'SIGNALBOX_LOCAL_SERVERS'

/** Hosts whose usual variable is set here, and local servers that run: their connections need no declaration. */
function foundHosts({ readVariable }: CredentialSources): [string, Connection][] {
  const local = readVariable(localServersVariable)?.split(',') ?? []
  return Object.entries(hostConnections).filter(([name, { credential }]) =>
    credential === undefined
      ? local.includes(name)
      : readVariable(credential.slice('env:'.length)) !== undefined,
  )
}

/** A native connection as its vendor serves it; one with another address is somebody's own server. */
function isNative(name: string, { provider, baseUrl }: Connection): boolean {
  const native = nativeConnections[name]
  return native?.provider === provider && (baseUrl === undefined || baseUrl === native.baseUrl)
}

/**
 * Where the credential comes from. A secret that the control plane keeps under the connection's own name
 * (`signalbox connections set`) replaces an `env:` or `file:` that is declared; a declared `secret:NAME` holds.
 */
function referenceOf(
  name: string,
  { credential }: Connection,
  sources: CredentialSources,
): string | undefined {
  if (credential?.startsWith('secret:') === true) return credential
  return sources.secrets.get(name) === undefined ? credential : `secret:${name}`
}

/** What can be read of a connection's keys, each once; the first one that is missing, where none can. */
function keysOf(
  reference: string | undefined,
  pool: readonly string[],
  sources: CredentialSources,
): { readonly keys: readonly string[]; readonly missing: string | undefined } {
  const references = reference === undefined ? pool : [reference, ...pool]
  const resolved = references.map((each) => resolveCredential(each, sources))
  const keys = [...new Set(resolved.flatMap((each) => ('value' in each ? [each.value] : [])))]
  const missing = resolved.flatMap((each) => ('missing' in each ? [each.missing] : []))
  return { keys, missing: keys.length > 0 ? undefined : missing[0] }
}

function statusWithout(name: string, connection: Connection, environment: string): ConnectionState {
  return environment === simulatingEnvironment && isNative(name, connection) ? 'simulated' : 'unavailable'
}

function missingOf(resolved: ResolvedCredential | undefined): string | undefined {
  return resolved !== undefined && 'missing' in resolved ? resolved.missing : undefined
}

/**
 * The connections of a release as this gateway can use them. One that declares no credential needs none; one whose
 * credential is missing is `simulated` (native, in `development`) or `unavailable`, with what is missing.
 */
export function resolveConnections(
  versions: readonly ReleasedVersion[],
  environment: string,
  sources: CredentialSources,
): ReadonlyMap<string, ResolvedConnection> {
  const resolved = new Map<string, ResolvedConnection>()
  for (const [name, connection] of declaredConnections(versions, environment, foundHosts(sources))) {
    const reference = referenceOf(name, connection, sources)
    const { keys, missing: missingKey } = keysOf(reference, connection.pool ?? [], sources)
    const ca = connection.ca === undefined ? undefined : resolveCredential(connection.ca, sources)
    const missing = missingOf(ca) ?? missingKey
    resolved.set(name, {
      name,
      provider: connection.provider,
      baseUrl: connection.baseUrl,
      locality: connection.locality ?? 'cloud',
      region: connection.region,
      ...(connection.project !== undefined && { project: connection.project }),
      ...(ca !== undefined && 'value' in ca && { ca: ca.value }),
      ...(connection.formats !== undefined && { formats: connection.formats }),
      status: missing === undefined ? 'available' : statusWithout(name, connection, environment),
      missing,
      credential: keys[0],
      ...(keys.length > 1 && { pool: keys }),
      ...(connection.apiVersion !== undefined && { apiVersion: connection.apiVersion }),
    })
  }
  return resolved
}

/** Whether two sets say the same of every connection; credentials are compared too. */
export function sameConnections(
  left: ReadonlyMap<string, ResolvedConnection>,
  right: ReadonlyMap<string, ResolvedConnection>,
): boolean {
  if (left.size !== right.size) return false
  for (const [name, connection] of left) {
    const other = right.get(name)
    if (other?.credential !== connection.credential || other?.status !== connection.status) return false
    if (other?.pool?.join('\n') !== connection.pool?.join('\n')) return false
    if (other?.ca !== connection.ca) return false
  }
  return true
}
