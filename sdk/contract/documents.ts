import { type Static, Type } from 'typebox'
import { operations } from './facts.ts'
import { StateFactsRule } from './facts-class.ts'
import { StateLimit } from './limits.ts'
import { StateBudget } from './money.ts'
import { Freeze, releasedCandidateShape } from './rollout.ts'
import { Digest, EnvironmentName, Id, Name, Ppm, TimeMs } from './scalars.ts'

const closed = { additionalProperties: false } as const
const Sequence = Type.Integer({ minimum: 1, description: 'Grows by one with each document of this kind.' })

/**
 * Every signed document travels in this. `payload` is the exact text that was signed (UTF-8 JSON); it is never
 * re-serialised. Signatures are Ed25519 over its bytes, base64url.
 */
export const Envelope = Type.Object(
  {
    payload: Type.String(),
    signatures: Type.Array(
      Type.Object(
        {
          role: Type.Enum(['root', 'release', 'author']),
          keyId: Type.String({ maxLength: 64 }),
          sig: Type.String(),
        },
        closed,
      ),
      { minItems: 1, maxItems: 16 },
    ),
  },
  closed,
)
export type Envelope = Static<typeof Envelope>

/** Who may sign what. A gateway pins the first one (`SIGNALBOX_TRUST_ROOT`: its envelope, base64url). */
export const RootDocument = Type.Object({
  type: Type.Literal('root/1'),
  organisationId: Id,
  sequence: Sequence,
  keys: Type.Record(
    Type.String({ description: 'Key id: first 16 hex digits of SHA-256 over the raw public key.' }),
    Type.Object({
      algorithm: Type.Literal('ed25519'),
      publicKey: Type.String({ description: 'Raw, base64url.' }),
    }),
  ),
  roles: Type.Record(
    Type.Enum(['root', 'release', 'author']),
    Type.Object({ threshold: Type.Integer({ minimum: 1 }), keyIds: Type.Array(Type.String()) }),
  ),
  /** Environments whose gateways run only versions that enough authors have signed. */
  authorsIn: Type.Optional(Type.Array(EnvironmentName)),
})
export type RootDocument = Static<typeof RootDocument>

const documentHead = {
  organisationId: Id,
  environment: EnvironmentName,
  sequence: Sequence,
  createdMs: TimeMs,
  expiresMs: TimeMs,
  rollbackOf: Type.Union([Sequence, Type.Null()]),
}

/** Where one workspace stands in an environment. */
export const ReleasedWorkspace = Type.Object({
  name: Name,
  node: Type.Object({ id: Id, path: Type.Array(Name) }),
  deploymentId: Id,
  stable: Digest,
  candidate: Type.Union([
    Type.Object({
      version: Digest,
      ppm: Ppm,
      teams: Type.Array(Id),
      salt: Type.String(),
      ...releasedCandidateShape,
    }),
    Type.Null(),
  ]),
  shadows: Type.Array(Digest),
  /** Versions that were stable here before, newest first, whose prompts callers may still name. */
  kept: Type.Optional(
    Type.Array(
      Type.Object({
        number: Type.Integer({ minimum: 1 }),
        version: Digest,
        workspace: Type.Object({ digest: Digest, bytes: Type.Integer() }),
      }),
      { maxItems: 16 },
    ),
  ),
  /** Of all calls, how many the shadows look at; all if left out. */
  shadowPpm: Type.Optional(Ppm),
})
export type ReleasedWorkspace = Static<typeof ReleasedWorkspace>

/** What calls are decided with. Changes with a deployment; compiled and proved before it goes live. */
export const ReleaseDocument = Type.Object({
  type: Type.Literal('release/1'),
  ...documentHead,
  engine: Digest,
  catalogue: Digest,
  /** Root first. */
  workspaces: Type.Array(ReleasedWorkspace),
  versions: Type.Record(
    Digest,
    Type.Object({
      number: Type.Integer({ minimum: 1 }),
      name: Name,
      manifest: Type.Object({ digest: Digest, bytes: Type.Integer() }),
      script: Type.Object({ digest: Digest, bytes: Type.Integer() }),
      workspace: Type.Object({ digest: Digest, bytes: Type.Integer() }),
      vectors: Type.Object({ digest: Digest, bytes: Type.Integer() }),
      /** What keys of role `author` said of it; left out where there is none. */
      authors: Type.Optional(
        Type.Array(Type.Object({ keyId: Type.String(), sig: Type.String() }), { maxItems: 16 }),
      ),
    }),
  ),
})
export type ReleaseDocument = Static<typeof ReleaseDocument>

/** Whom and what the decisions apply to. Changes with every administrative write; never touches the sandbox. */
export const StateDocument = Type.Object({
  type: Type.Literal('state/1'),
  ...documentHead,
  /** Calls are refused with `not_ready` when the state is older; 0 is never. */
  stateAgeMsMax: Type.Integer({ minimum: 0 }),
  tree: Digest,
  keys: Type.Object({
    format: Type.Literal('kidx/1'),
    count: Type.Integer({ minimum: 0 }),
    /** Hex digits of the key hash that name a shard; 0 is one shard with all keys. */
    prefixLength: Type.Integer({ minimum: 0, maximum: 8 }),
    /** Merkle root over the shards' digests in prefix order. */
    root: Digest,
    shards: Type.Array(
      Type.Object({ prefix: Type.String(), digest: Digest, count: Type.Integer({ minimum: 0 }) }),
    ),
  }),
  /** Hashes of revoked keys that may still stand in a shard. */
  revoked: Type.Array(Type.String()),
  /** Always empty: gateways of the first release expect the member. Limits are in `rateLimits`. */
  limits: Type.Record(Id, Type.Record(Type.String(), Type.Integer({ minimum: 0 }))),
  /** Limits that calls may be under; left out where there is none. */
  rateLimits: Type.Optional(Type.Array(StateLimit)),
  /** Budgets that calls may be under, by id; left out where there is none. */
  budgets: Type.Optional(Type.Array(StateBudget)),
  /** Hot values: workspace → param → value. */
  params: Type.Record(
    Name,
    Type.Record(
      Type.String(),
      Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Array(Type.String(), { maxItems: 64 })]),
    ),
  ),
  /** Calls of which only metering and digests are recorded; left out where there are none. */
  unrecorded: Type.Optional(
    Type.Object({ all: Type.Boolean(), nodes: Type.Array(Id), keys: Type.Array(Id) }),
  ),
  /** Calls of which not all facts are recorded; left out where there are none. */
  factsRules: Type.Optional(Type.Array(StateFactsRule)),
  freeze: Type.Union([Freeze, Type.Null()]),
})
export type StateDocument = Static<typeof StateDocument>

export const nodeKinds = ['organisation', 'team', 'project'] as const
export const TreeNode = Type.Object({
  id: Id,
  parentId: Type.Union([Id, Type.Null()]),
  kind: Type.Enum([...nodeKinds]),
  name: Name,
})
export type TreeNode = Static<typeof TreeNode>
/** Blob `tree`: parents before children. */
export const TreeBlob = Type.Object({ schema: Type.Literal('tree/1'), nodes: Type.Array(TreeNode) })
export type TreeBlob = Static<typeof TreeBlob>
/** What a key may be used for; what is left out is not restricted. */
export const KeyScopes = Type.Object(
  {
    models: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 256 }), {
        minItems: 1,
        maxItems: 64,
        uniqueItems: true,
        description: 'Aliases and targets: `smart`, `openai/gpt-5.5`, `anthropic/*`.',
      }),
    ),
    operations: Type.Optional(
      Type.Array(Type.Enum([...operations]), {
        minItems: 1,
        uniqueItems: true,
        description: 'Kinds of calls.',
      }),
    ),
    ipRanges: Type.Optional(
      Type.Array(Type.String({ minLength: 2, maxLength: 64 }), {
        minItems: 1,
        maxItems: 64,
        uniqueItems: true,
        description: 'Addresses and ranges that calls may come from: `10.0.0.0/8`, `2001:db8::/32`.',
      }),
    ),
    requiredMetadata: Type.Optional(
      Type.Array(Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]{0,63}$' }), {
        minItems: 1,
        maxItems: 32,
        uniqueItems: true,
        description: 'Properties of metadata that each call must carry.',
      }),
    ),
    direct: Type.Optional(
      Type.Boolean({
        description:
          'Its holder may call providers with keys of his own while no gateway answers, and tells it afterwards.',
      }),
    ),
  },
  { ...closed, description: 'What a key may be used for; what is left out is not restricted.' },
)
export type KeyScopes = Static<typeof KeyScopes>
/** One line of a key shard, sorted by `hash`. */
export const KeyRow = Type.Object({
  hash: Type.String({ pattern: '^[0-9a-f]{64}$', description: 'SHA-256 of the whole key.' }),
  id: Id,
  node: Id,
  name: Type.String({ maxLength: 128 }),
  expiresMs: Type.Union([TimeMs, Type.Null()]),
  scopes: Type.Optional(KeyScopes),
})
export type KeyRow = Static<typeof KeyRow>
/** Up to this many keys stand in one shard. */
export const keysPerSingleShardMax = 10_000

/**
 * Secrets of one gateway, sealed (HPKE, X25519) to its key; `sealed` opens to `{ [name]: value }`, by the NAME of
 * `secret:NAME`. One of a connection's own name replaces an `env:` or `file:` that the connection declares.
 */
export const CredentialDocument = Type.Object({
  type: Type.Literal('credentials/1'),
  organisationId: Id,
  environment: EnvironmentName,
  sequence: Sequence,
  recipient: Type.String({ description: "The gateway's public key, raw, base64url." }),
  encapsulated: Type.String({ description: 'HPKE `enc`, base64url.' }),
  sealed: Type.String({ description: 'HPKE ciphertext, base64url.' }),
})
export type CredentialDocument = Static<typeof CredentialDocument>

export const documentKinds = ['root', 'release', 'state', 'credentials'] as const
export type DocumentKind = (typeof documentKinds)[number]
