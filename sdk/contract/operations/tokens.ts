import { Type } from 'typebox'
import { defineOperation, roles } from '../operation.ts'
import { EnvironmentName, Id, Name, TimeMs } from '../scalars.ts'

const closed = { additionalProperties: false } as const
const nullableTime = Type.Union([TimeMs, Type.Null()])
export const RoleName = Type.Enum([...roles], { description: 'What the holder may do.' })
/** A role on a node and all below it. */
export const Grant = Type.Object(
  {
    role: RoleName,
    node: Type.Object({ id: Id, path: Type.String({ description: 'Empty for the organisation.' }) }, closed),
  },
  closed,
)
export const Me = Type.Object(
  {
    kind: Type.Enum(['token', 'user']),
    tokenId: Type.Union([Id, Type.Null()]),
    userId: Type.Union([Id, Type.Null()]),
    name: Type.String(),
    role: Type.Enum([...roles], { description: 'The strongest of the grants.' }),
    grants: Type.Array(Grant),
    /** Only accounts of ours have one. */
    passwordChangeable: Type.Boolean(),
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
    ...Grant.properties,
    createdMs: TimeMs,
    expiresMs: nullableTime,
    lastUsedMs: nullableTime,
    revokedMs: nullableTime,
  },
  closed,
)

export const tokenOperations = {
  getMe: defineOperation({
    id: 'getMe',
    method: 'GET',
    path: '/v1/me',
    role: 'member',
    scope: 'anywhere',
    summary: 'Says who asks, and what they may do where.',
    reply: Me,
    errors: ['key_missing', 'key_invalid'],
  }),
  listTokens: defineOperation({
    id: 'listTokens',
    method: 'GET',
    path: '/v1/tokens',
    role: ['owner', 'admin', 'security'],
    scope: 'reach',
    summary: 'Lists API tokens, without their values.',
    reply: Type.Object({ items: Type.Array(Token) }, closed),
    errors: [],
  }),
  createToken: defineOperation({
    id: 'createToken',
    method: 'POST',
    path: '/v1/tokens',
    role: 'admin',
    scope: { node: 'node' },
    summary: 'Makes an API token for a program or a CI job: a role on a node, until it expires.',
    body: Type.Object(
      {
        name: Type.String({ minLength: 1, maxLength: 128 }),
        role: RoleName,
        node: Type.Optional(
          Type.String({ maxLength: 1024, description: 'Id, name or path; the organisation if left out.' }),
        ),
        expiresMs: Type.Optional(TimeMs),
      },
      closed,
    ),
    reply: Type.Object(
      { ...Token.properties, token: Type.String({ description: 'Shown this once.' }) },
      closed,
    ),
    status: 201,
    errors: ['not_found', 'invalid_request', 'forbidden'],
  }),
  revokeToken: defineOperation({
    id: 'revokeToken',
    method: 'POST',
    path: '/v1/tokens/:id/revoke',
    role: ['owner', 'admin', 'security'],
    scope: { token: 'id' },
    summary: 'Revokes an API token.',
    params: Type.Object({ id: Id }, closed),
    reply: Token,
    errors: ['not_found', 'conflict'],
  }),
} as const
