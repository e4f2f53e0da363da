import { type CompiledWorkspace, type Connection, nativeConnections } from '@signalbox/sdk/contract'

export type ConnectionState = 'available' | 'simulated' | 'unavailable'
export interface DeclaredConnection extends Connection {
  readonly source: 'native' | 'workspace'
}

/**
 * Connections by name as the gateways of an environment see them: the native ones, replaced by what the workspaces
 * declare, with the environment's overrides. Of two workspaces that declare one name the one nearer to the root has it.
 */
export function declaredConnections(
  workspaces: readonly CompiledWorkspace[],
  environment: string,
): Map<string, DeclaredConnection> {
  const found = new Map<string, DeclaredConnection>()
  for (const [name, connection] of Object.entries(nativeConnections)) {
    found.set(name, { ...connection, source: 'native' })
  }
  const depth = ({ node }: CompiledWorkspace) => (node === '' ? 0 : node.split('/').length)
  const deepestFirst = workspaces.toSorted((a, b) => depth(b) - depth(a) || (a.name < b.name ? 1 : -1))
  for (const workspace of deepestFirst) {
    for (const [name, connection] of Object.entries(workspace.connections)) {
      found.set(name, { ...connection, source: 'workspace' })
    }
    const overrides = workspace.environments[environment]?.connections ?? {}
    for (const [name, override] of Object.entries(overrides)) {
      const provider = override.provider ?? found.get(name)?.provider
      if (provider === undefined) continue
      found.set(name, { ...found.get(name), ...override, provider, source: 'workspace' })
    }
  }
  return found
}

/** NAME of a `secret:NAME`, or undefined for any other reference. */
function secretNameOf(reference: string | undefined): string | undefined {
  return reference?.startsWith('secret:') === true ? reference.slice('secret:'.length) : undefined
}

/**
 * Under which name a connection's secret is stored: the one it declares, else its own. The secret of a
 * connection's own name replaces an `env:` or `file:` that it declares.
 */
export function secretNameFor(name: string, connection: Connection): string {
  return secretNameOf(connection.credential) ?? name
}

/** What all gateways say of a connection together: the worst. `unknown` where none says anything. */
export function combineStates(states: readonly ConnectionState[]): ConnectionState | 'unknown' {
  const worstFirst: readonly ConnectionState[] = ['unavailable', 'simulated', 'available']
  return worstFirst.find((each) => states.includes(each)) ?? 'unknown'
}
