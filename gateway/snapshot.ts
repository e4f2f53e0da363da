import type { ParamValues, Program, SwitchedOff } from '@signalbox/policies'
import type {
  BucketKind,
  CatalogueModel,
  CompiledPrompt,
  CompiledWorkspace,
  Connection,
  KeyRow,
  Locality,
  PolicyTripwire,
  ReleaseDocument,
  StateDocument,
  TreeNode,
} from '@signalbox/sdk/contract'

export type ConnectionState = 'available' | 'simulated' | 'unavailable'
/** A connection as this gateway can use it. The credential is asked for at each attempt and never stored beside. */
export interface ResolvedConnection {
  readonly name: string
  readonly provider: string
  readonly baseUrl: string | undefined
  readonly locality: Locality
  readonly region: string | undefined
  /** Certificates (PEM) that its server's must be signed by; the common ones where left out. */
  readonly ca?: string
  /** Account at the provider that is asked there, for providers with several under one credential. */
  readonly project?: string
  /** What the upstream speaks, the preferred first; undefined: what its provider is known for. */
  readonly formats?: Connection['formats']
  readonly status: ConnectionState
  /** What is missing where the status is not `available`: `OPENAI_API_KEY`, `secret:anthropic-prod`. */
  readonly missing: string | undefined
  readonly credential: string | undefined
  /** All keys that calls may take turns with, `credential` among them; absent where there is only that one. */
  readonly pool?: readonly string[]
  readonly apiVersion?: string
}
/** Prompts of a version that was deployed before. */
export interface KeptPrompts {
  readonly number: number
  readonly prompts: readonly CompiledPrompt[]
}
export interface ReleasedVersion {
  readonly digest: string
  readonly number: number
  readonly compiled: CompiledWorkspace
  /** Names from the root down to the owning node; empty for the root. */
  readonly nodePath: readonly string[]
  readonly nodeId: string
  /** Of versions deployed before this one, newest first: what callers name as `prompt@v12`. */
  readonly kept?: readonly KeptPrompts[]
}
/** Finds static knowledge of models by vendor and any of its spellings. */
export interface CatalogueIndex {
  find(vendor: string | undefined, model: string): CatalogueModel | undefined
  list(vendor: string): readonly CatalogueModel[]
  readonly digest: string
}
/** A candidate that some of the calls are decided with. */
export interface ReleasedRollout {
  readonly deploymentId: string
  /** The same for all shares of a candidate. */
  readonly id: string
  readonly workspace: string
  /** Index of the workspace among `versions`. */
  readonly at: number
  readonly stable: string
  readonly candidate: string
  readonly ppm: number
  /** Ids of the nodes it is for; everybody where empty. */
  readonly teams: ReadonlySet<string>
  readonly by: BucketKind
  readonly salt: string
  readonly tripwire: PolicyTripwire | null
}
/** A version that looks on. */
export interface ReleasedShadow {
  readonly deploymentId: string
  readonly workspace: string
  /** Index of the workspace among `versions`. */
  readonly at: number
  readonly version: string
  /** Of all calls, how many it looks at. */
  readonly ppm: number
  /** What a call would be decided with if it stood in the place of the stable one. */
  readonly snapshot: () => Snapshot
}

/** One release and one state, as a call reads them from start to end. */
export interface Snapshot {
  readonly release: ReleaseDocument
  readonly state: StateDocument
  readonly program: Program
  /** Root first. */
  readonly versions: readonly ReleasedVersion[]
  readonly connections: ReadonlyMap<string, ResolvedConnection>
  /** Alias → targets, the environment's overrides applied; the nearest workspace wins. */
  readonly aliases: ReadonlyMap<string, readonly string[]>
  readonly catalogue: CatalogueIndex
  readonly params: ParamValues
  readonly nodes: ReadonlyMap<string, TreeNode>
  /** Candidates that calls may be decided with; none where a freeze has stopped them. */
  readonly rollouts?: readonly ReleasedRollout[]
  readonly shadows?: readonly ReleasedShadow[]
  /** The same release and state with the candidates of the workspaces at these indexes. */
  readonly withCandidates?: (at: readonly number[]) => Snapshot
  /** Policies that a freeze keeps from being asked. */
  readonly switchedOff?: readonly SwitchedOff[]
  /** The key of this hash (SHA-256, hex), `revoked`, or undefined where it is not known. */
  findKey(hash: string): KeyRow | 'revoked' | undefined
}
/** What `handle-call` asks before it starts: a snapshot, or why there is none. */
export interface SnapshotSource {
  /** Throws a Refusal `not_ready` while there is no valid release and state, or the state is too old. */
  current(): Snapshot
  /** The state is older than expected, but still in use. */
  degraded(): boolean
  /** What readiness still waits for although calls are served already: names for people; empty when nothing. */
  awaited?(): readonly string[]
}
