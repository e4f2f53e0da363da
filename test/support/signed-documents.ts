import type {
  CompiledWorkspace,
  Envelope,
  GoldenVector,
  KeyRow,
  ReleaseDocument,
  RootDocument,
  StateDocument,
  TreeNode,
  VersionManifest,
} from '@signalbox/sdk/contract'
import {
  canonicalJson,
  createSigningKey,
  digestOf,
  keyIndexRoot,
  type SigningKey,
  signDocument,
} from '@signalbox/sdk/node'

export const organisationId = '01990000-0000-7000-8000-000000000001'
export const gatewayId = '01990000-0000-7000-8000-000000000002'
export const environment = 'staging'
const dayMs = 86_400_000

/** Keys of a control plane, and the root document that vouches for them. */
export interface Authority {
  readonly rootKey: SigningKey
  readonly releaseKey: SigningKey
  readonly root: RootDocument
  readonly rootEnvelope: Envelope
}

function rootDocument(sequence: number, rootKey: SigningKey, releaseKey: SigningKey): RootDocument {
  const entry = ({ publicKey }: SigningKey) => ({ algorithm: 'ed25519' as const, publicKey })
  return {
    type: 'root/1',
    organisationId,
    sequence,
    keys: { [rootKey.keyId]: entry(rootKey), [releaseKey.keyId]: entry(releaseKey) },
    roles: {
      root: { threshold: 1, keyIds: [rootKey.keyId] },
      release: { threshold: 1, keyIds: [releaseKey.keyId] },
      author: { threshold: 1, keyIds: [] },
    },
  }
}

export function createAuthority(): Authority {
  const [rootKey, releaseKey] = [createSigningKey(), createSigningKey()]
  const root = rootDocument(1, rootKey, releaseKey)
  return { rootKey, releaseKey, root, rootEnvelope: signDocument(root, 'root', [rootKey]) }
}

/** The next root: a new release key, signed by the root key of before. */
export function rotateReleaseKey(authority: Authority, signers = [authority.rootKey]): Authority {
  const releaseKey = createSigningKey()
  const root = rootDocument(authority.root.sequence + 1, authority.rootKey, releaseKey)
  return { ...authority, releaseKey, root, rootEnvelope: signDocument(root, 'root', signers) }
}

/** Blobs by digest. */
export class Blobs extends Map<string, Uint8Array> {
  add(data: string | Uint8Array): { digest: string; bytes: number } {
    const bytes = typeof data === 'string' ? Buffer.from(data, 'utf8') : data
    const digest = digestOf(bytes)
    this.set(digest, bytes)
    return { digest, bytes: bytes.length }
  }
}

export function compiledWorkspace(change: Partial<CompiledWorkspace> = {}): CompiledWorkspace {
  return {
    schema: 'compiled/1',
    name: 'acme',
    node: '',
    connections: {},
    models: {},
    metadata: {},
    catalogue: {},
    environments: {},
    policies: [],
    guardrails: [],
    prompts: [],
    reads: [],
    targets: [],
    safeRoutes: {},
    ...change,
  }
}

export interface ReleaseParts {
  readonly compiled?: CompiledWorkspace
  readonly script?: string
  readonly vectors?: readonly GoldenVector[]
  readonly engine?: string
}
const someDigest = digestOf('nothing')

/** Puts a version into the blobs and gives its entry of a release. */
function addVersion(blobs: Blobs, parts: ReleaseParts, engine: string, catalogue: string) {
  const compiled = parts.compiled ?? compiledWorkspace()
  const workspace = blobs.add(canonicalJson(compiled))
  const script = blobs.add(parts.script ?? 'allow')
  const lines = (parts.vectors ?? []).map((vector) => `${canonicalJson(vector)}\n`)
  const vectors = blobs.add(lines.join(''))
  const manifest: VersionManifest = {
    schema: 'version/1',
    name: compiled.name,
    engine: { sandbox: engine, facts: 'facts/1', decision: 'decision/1', compiler: '1' },
    catalogue,
    blobs: [
      { path: 'compiled/policies.js', ...script },
      { path: 'compiled/vectors.ndjson', ...vectors },
      { path: 'compiled/workspace.json', ...workspace },
    ],
  }
  return {
    number: 1,
    name: compiled.name,
    manifest: blobs.add(canonicalJson(manifest)),
    script,
    workspace,
    vectors,
  }
}

/** A release of one workspace at the root; its blobs are added to `blobs`. */
export function releaseDocument(
  blobs: Blobs,
  change: Partial<ReleaseDocument> = {},
  parts: ReleaseParts = {},
): ReleaseDocument {
  const engine = parts.engine ?? someDigest
  const catalogue = blobs.add(canonicalJson({ schema: 'catalogue/1', source: 'test', models: [] })).digest
  const version = addVersion(blobs, parts, engine, catalogue)
  return {
    type: 'release/1',
    organisationId,
    environment,
    sequence: 1,
    createdMs: Date.now(),
    expiresMs: Date.now() + dayMs,
    rollbackOf: null,
    engine,
    catalogue,
    workspaces: [
      {
        name: version.name,
        node: { id: organisationId, path: [] },
        deploymentId: '01990000-0000-7000-8000-000000000003',
        stable: version.manifest.digest,
        candidate: null,
        shadows: [],
      },
    ],
    versions: { [version.manifest.digest]: version },
    ...change,
  }
}

export interface StateParts {
  readonly keys?: readonly KeyRow[]
  readonly prefixLength?: number
  readonly nodes?: readonly TreeNode[]
}

export const rootNode: TreeNode = {
  id: organisationId,
  parentId: null,
  kind: 'organisation',
  name: 'default',
}

export function keyRow(hash: string, change: Partial<KeyRow> = {}): KeyRow {
  return {
    hash,
    id: '01990000-0000-7000-8000-00000000000a',
    node: organisationId,
    name: 'k',
    expiresMs: null,
    ...change,
  }
}

/** A state; its tree and key shards are added to `blobs`. */
export function stateDocument(
  blobs: Blobs,
  change: Partial<StateDocument> = {},
  parts: StateParts = {},
): StateDocument {
  const prefixLength = parts.prefixLength ?? 0
  const groups = new Map<string, KeyRow[]>()
  for (const row of parts.keys ?? []) {
    const prefix = row.hash.slice(0, prefixLength)
    groups.set(prefix, [...(groups.get(prefix) ?? []), row])
  }
  const shards = [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([prefix, rows]) => {
      const sorted = rows.toSorted((a, b) => (a.hash < b.hash ? -1 : 1))
      const { digest } = blobs.add(sorted.map((row) => `${JSON.stringify(row)}\n`).join(''))
      return { prefix, digest, count: rows.length }
    })
  return {
    type: 'state/1',
    organisationId,
    environment,
    sequence: 1,
    createdMs: Date.now(),
    expiresMs: Date.now() + dayMs,
    rollbackOf: null,
    stateAgeMsMax: dayMs,
    tree: blobs.add(canonicalJson({ schema: 'tree/1', nodes: parts.nodes ?? [rootNode] })).digest,
    keys: {
      format: 'kidx/1',
      count: parts.keys?.length ?? 0,
      prefixLength,
      root: keyIndexRoot(shards.map(({ digest }) => digest)),
      shards,
    },
    revoked: [],
    limits: {},
    params: {},
    freeze: null,
    ...change,
  }
}
