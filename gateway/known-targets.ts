import type { Provider } from './provider.ts'
import type { ResolvedConnection, Snapshot, SnapshotSource } from './snapshot.ts'
import { baseUrlOf } from './targets.ts'

/** What is remembered of targets and addresses; callers can name any number of models. */
const keptMax = 4096

/** A look-up that remembers its answers, as long as there are not too many. */
function remembering<T>(look: (key: string) => T): (key: string) => T {
  const kept = new Map<string, T>()
  return (key) => {
    const known = kept.get(key)
    if (known !== undefined || kept.has(key)) return known as T
    const found = look(key)
    if (kept.size >= keptMax) kept.clear()
    kept.set(key, found)
    return found
  }
}

function currentOf(snapshots: SnapshotSource): Snapshot | undefined {
  try {
    return snapshots.current()
  } catch {
    return undefined
  }
}

/** What telemetry asks about the targets in records. */
export interface KnownTargets {
  /** Whether the workspace or the catalogue names the target's model; callers may make up others. */
  isKnown(target: string): boolean
  /** Host and port of the connection; undefined for the simulated provider and for connections that are gone. */
  serverOf(target: string): { readonly address: string; readonly port: number } | undefined
}

function addressOf(baseUrl: string): { address: string; port: number } | undefined {
  if (!URL.canParse(baseUrl)) return undefined
  const { hostname, port, protocol } = new URL(baseUrl)
  return { address: hostname, port: port === '' ? (protocol === 'http:' ? 80 : 443) : Number(port) }
}

/** Answers from the snapshot of the moment; what was found is remembered until the release changes. */
export function createKnownTargets(
  snapshots: SnapshotSource,
  providers: ReadonlyMap<string, Provider>,
): KnownTargets {
  let program: Snapshot['program'] | undefined
  let isKnown: (target: string) => boolean = () => false
  const parse = remembering(addressOf)

  function renew(snapshot: Snapshot): void {
    program = snapshot.program
    const { candidates } = snapshot.program
    const models = new Set(candidates.map((target) => target.slice(target.indexOf('/') + 1)))
    isKnown = remembering((target) => {
      const model = target.slice(target.indexOf('/') + 1)
      return models.has(model) || snapshot.catalogue.find(undefined, model) !== undefined
    })
  }

  const providerUrlOf = (connection: ResolvedConnection): string | undefined => {
    const provider = providers.get(connection.provider)
    return provider === undefined ? connection.baseUrl : baseUrlOf(connection, provider)
  }

  return {
    isKnown(target) {
      const snapshot = currentOf(snapshots)
      if (snapshot !== undefined && snapshot.program !== program) renew(snapshot)
      return isKnown(target)
    },
    serverOf(target) {
      const name = target.slice(0, target.indexOf('/'))
      const connection = currentOf(snapshots)?.connections.get(name)
      if (connection === undefined) return undefined
      const baseUrl = providerUrlOf(connection)
      return baseUrl === undefined ? undefined : parse(baseUrl)
    },
  }
}
