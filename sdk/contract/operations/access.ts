import { Type } from 'typebox'
import { GatewayReport } from '../gateway-report.ts'
import { defineOperation } from '../operation.ts'
import { EnvironmentName, Id, Name, TimeMs } from '../scalars.ts'
import { CredentialReference } from '../workspace.ts'

const closed = { additionalProperties: false } as const
/** Gateways that had not acknowledged a write after 2 s: `gateway <id>`. Absent when all had. */
const pending = Type.Optional(
  Type.Array(Type.String(), { description: 'Gateways that have not acknowledged the change yet.' }),
)
const list = <T extends Parameters<typeof Type.Array>[0]>(items: T) =>
  Type.Object({ items: Type.Array(items) }, closed)

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
    root: Type.Union([Type.Integer(), Type.Null()], { description: 'Sequence of its root document.' }),
    rejections: Type.Array(
      Type.Object(
        { document: Type.String(), sequence: Type.Integer(), error: Type.String(), timeMs: TimeMs },
        closed,
      ),
      { description: 'The document of each kind that it would not take, and why; gone once it takes one.' },
    ),
    /** What its present run last said of itself. */
    report: Type.Union([GatewayReport, Type.Null()]),
    createdMs: TimeMs,
    revokedMs: Type.Union([TimeMs, Type.Null()]),
  },
  closed,
)
export const Environment = Type.Object({ name: Name, createdMs: TimeMs }, closed)

export const accessOperations = {
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
    role: ['owner', 'admin', 'security'],
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
    scope: 'anywhere',
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
