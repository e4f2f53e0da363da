import { Type } from 'typebox'
import { nodeKinds } from '../documents.ts'
import { defineOperation } from '../operation.ts'
import { EnvironmentName, Id, Name, TimeMs } from '../scalars.ts'
import { CredentialReference } from '../workspace.ts'

const closed = { additionalProperties: false } as const
/** Gateways that had not acknowledged a write after 2 s: `gateway <id>`. Absent when all had. */
const pending = Type.Optional(
  Type.Array(Type.String(), { description: 'Gateways that have not acknowledged the change yet.' }),
)
const ById = Type.Object({ id: Id }, closed)
const list = <T extends Parameters<typeof Type.Array>[0]>(items: T) =>
  Type.Object({ items: Type.Array(items) }, closed)

export const Me = Type.Object(
  {
    tokenId: Id,
    name: Type.String(),
    role: Type.Enum(['admin', 'member']),
    organisation: Type.Object({ id: Id, name: Name }, closed),
    environment: EnvironmentName,
    gatewayUrl: Type.Optional(
      Type.String({ description: 'Address of a connected gateway, if one is known.' }),
    ),
  },
  closed,
)
export const Token = Type.Object(
  {
    id: Id,
    name: Type.String(),
    role: Type.Enum(['admin', 'member']),
    createdMs: TimeMs,
    lastUsedMs: Type.Union([TimeMs, Type.Null()]),
    revokedMs: Type.Union([TimeMs, Type.Null()]),
  },
  closed,
)
export const Team = Type.Object(
  {
    id: Id,
    name: Name,
    kind: Type.Enum([...nodeKinds]),
    parentId: Type.Union([Id, Type.Null()]),
    path: Type.String({ description: 'Names from the root down, joined by `/`.' }),
    managedBy: Type.Enum(['api', 'workspace']),
    keys: Type.Integer({ minimum: 0, description: 'Keys that are not revoked.' }),
    createdMs: TimeMs,
    pending,
  },
  closed,
)
export const Key = Type.Object(
  {
    id: Id,
    name: Type.String({ description: 'Label.' }),
    team: Type.Object({ id: Id, name: Name }, closed),
    environment: EnvironmentName,
    start: Type.String({ description: 'First characters of the key, to recognise it.' }),
    createdMs: TimeMs,
    expiresMs: Type.Union([TimeMs, Type.Null()]),
    revokedMs: Type.Union([TimeMs, Type.Null()]),
    pending,
  },
  closed,
)
export const CreatedKey = Type.Object(
  { ...Key.properties, key: Type.String({ description: 'The key itself, shown this once.' }) },
  closed,
)
export const ConnectionStatus = Type.Object(
  {
    name: Name,
    provider: Type.String(),
    environment: EnvironmentName,
    source: Type.Enum(['native', 'workspace']),
    baseUrl: Type.Union([Type.String(), Type.Null()]),
    credential: Type.Union([Type.String({ description: 'Reference, never the value.' }), Type.Null()]),
    locality: Type.Enum(['cloud', 'on-prem']),
    /** As the gateways of the environment report it; `unknown` while none is connected. */
    status: Type.Enum(['available', 'simulated', 'unavailable', 'unknown']),
    secretSetMs: Type.Union([TimeMs, Type.Null()]),
    pending,
  },
  closed,
)
export const Gateway = Type.Object(
  {
    id: Id,
    name: Type.String(),
    environment: EnvironmentName,
    incarnation: Type.Union([Id, Type.Null()]),
    url: Type.Union([Type.String(), Type.Null()]),
    connected: Type.Boolean(),
    lastSeenMs: Type.Union([TimeMs, Type.Null()]),
    software: Type.Union([Type.String(), Type.Null()]),
    release: Type.Union([Type.Integer(), Type.Null()]),
    state: Type.Union([Type.Integer(), Type.Null()]),
    rejected: Type.Union([
      Type.Object({ document: Type.String(), sequence: Type.Integer(), error: Type.String() }, closed),
      Type.Null(),
    ]),
    createdMs: TimeMs,
    revokedMs: Type.Union([TimeMs, Type.Null()]),
  },
  closed,
)
export const Environment = Type.Object({ name: Name, createdMs: TimeMs }, closed)

export const accessOperations = {
  getMe: defineOperation({
    id: 'getMe',
    method: 'GET',
    path: '/v1/me',
    role: 'member',
    summary: 'Says who the token is.',
    reply: Me,
    errors: ['key_missing', 'key_invalid'],
  }),
  listTokens: defineOperation({
    id: 'listTokens',
    method: 'GET',
    path: '/v1/tokens',
    role: 'admin',
    summary: 'Lists API tokens, without their values.',
    reply: list(Token),
    errors: [],
  }),
  createToken: defineOperation({
    id: 'createToken',
    method: 'POST',
    path: '/v1/tokens',
    role: 'admin',
    summary: 'Makes an API token for a person or a CI job.',
    body: Type.Object(
      { name: Type.String({ minLength: 1, maxLength: 128 }), role: Type.Enum(['admin', 'member']) },
      closed,
    ),
    reply: Type.Object(
      { ...Token.properties, token: Type.String({ description: 'Shown this once.' }) },
      closed,
    ),
    status: 201,
    errors: [],
  }),
  revokeToken: defineOperation({
    id: 'revokeToken',
    method: 'POST',
    path: '/v1/tokens/:id/revoke',
    role: 'admin',
    summary: 'Revokes an API token.',
    params: ById,
    reply: Token,
    errors: ['not_found', 'conflict'],
  }),
  listTeams: defineOperation({
    id: 'listTeams',
    method: 'GET',
    path: '/v1/teams',
    role: 'member',
    summary: 'Lists the nodes of the tree, parents before children.',
    reply: list(Team),
    errors: [],
  }),
  createTeam: defineOperation({
    id: 'createTeam',
    method: 'POST',
    path: '/v1/teams',
    role: 'admin',
    summary: 'Makes a team below the organisation or another team.',
    body: Type.Object(
      {
        name: Name,
        parent: Type.Optional(
          Type.String({ maxLength: 512, description: 'Id or path; the organisation if left out.' }),
        ),
        kind: Type.Optional(Type.Enum(['team', 'project'])),
      },
      closed,
    ),
    reply: Team,
    status: 201,
    errors: ['already_exists', 'not_found', 'invalid_request'],
  }),
  listKeys: defineOperation({
    id: 'listKeys',
    method: 'GET',
    path: '/v1/keys',
    role: 'member',
    summary: 'Lists keys, newest first, without their values.',
    query: Type.Object({ team: Type.Optional(Type.String({ description: 'Id, name or path.' })) }, closed),
    reply: list(Key),
    errors: ['not_found'],
  }),
  createKey: defineOperation({
    id: 'createKey',
    method: 'POST',
    path: '/v1/keys',
    role: 'admin',
    summary: 'Makes a key for a team. It works on the next request once all gateways acknowledged it.',
    body: Type.Object(
      {
        team: Type.String({ maxLength: 512, description: 'Id, name or path of the team.' }),
        name: Type.String({ minLength: 1, maxLength: 128, description: 'Label, unique in the team.' }),
        environment: Type.Optional(EnvironmentName),
        expiresMs: Type.Optional(TimeMs),
      },
      closed,
    ),
    reply: CreatedKey,
    status: 201,
    errors: ['not_found', 'already_exists', 'invalid_request'],
  }),
  revokeKey: defineOperation({
    id: 'revokeKey',
    method: 'POST',
    path: '/v1/keys/:id/revoke',
    role: 'admin',
    summary: 'Revokes a key. It fails on the next request once all gateways acknowledged it.',
    params: ById,
    reply: Key,
    errors: ['not_found'],
  }),
  listConnections: defineOperation({
    id: 'listConnections',
    method: 'GET',
    path: '/v1/connections',
    role: 'member',
    summary: 'Lists the connections of an environment and whether its gateways can use them.',
    query: Type.Object({ environment: Type.Optional(EnvironmentName) }, closed),
    reply: list(ConnectionStatus),
    errors: ['not_found'],
  }),
  setConnection: defineOperation({
    id: 'setConnection',
    method: 'PUT',
    path: '/v1/connections/:name',
    role: 'admin',
    summary: 'Stores the secret of a connection, encrypted; gateways get it sealed to their own key.',
    params: Type.Object({ name: Name }, closed),
    body: Type.Object(
      {
        environment: Type.Optional(EnvironmentName),
        secret: Type.Optional(
          Type.String({ minLength: 1, maxLength: 16_384, description: 'The credential itself.' }),
        ),
        credential: Type.Optional(CredentialReference),
      },
      closed,
    ),
    reply: ConnectionStatus,
    errors: ['not_found', 'invalid_request'],
  }),
  listEnvironments: defineOperation({
    id: 'listEnvironments',
    method: 'GET',
    path: '/v1/environments',
    role: 'member',
    summary: 'Lists the environments.',
    reply: list(Environment),
    errors: [],
  }),
  listGateways: defineOperation({
    id: 'listGateways',
    method: 'GET',
    path: '/v1/gateways',
    role: 'member',
    summary: 'Lists gateways: what they run, when they were last seen, what they rejected.',
    reply: list(Gateway),
    errors: [],
  }),
  enrollGateway: defineOperation({
    id: 'enrollGateway',
    method: 'POST',
    path: '/v1/gateways',
    role: 'admin',
    summary: 'Enrols a gateway for one environment: its token and the trust root it pins.',
    body: Type.Object(
      { environment: EnvironmentName, name: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })) },
      closed,
    ),
    reply: Type.Object(
      {
        id: Id,
        name: Type.String(),
        environment: EnvironmentName,
        token: Type.String({ description: 'SIGNALBOX_GATEWAY_TOKEN, shown this once.' }),
        trustRoot: Type.String({ description: 'SIGNALBOX_TRUST_ROOT.' }),
      },
      closed,
    ),
    status: 201,
    errors: ['not_found'],
  }),
} as const
