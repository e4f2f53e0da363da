import { type Static, Type } from 'typebox'
import { defineOperation, roles } from '../operation.ts'
import { Id, Name, TimeMs } from '../scalars.ts'

const closed = { additionalProperties: false } as const
const Claim = Type.String({ minLength: 1, maxLength: 512 })
const claims = Type.Record(
  Type.String({ minLength: 1, maxLength: 64 }),
  Type.Array(Claim, { minItems: 1, maxItems: 32 }),
  {
    description: 'Claim → values it may have, one of which must fit; `*` in them stands for any text.',
  },
)
const Url = Type.String({ pattern: '^https?://[^\\s]+$', maxLength: 512 })

const shape = {
  name: Name,
  issuer: Url,
  audience: Type.String({ minLength: 1, maxLength: 512 }),
  claims,
  role: Type.Enum([...roles]),
  lifetimeS: Type.Integer({ minimum: 60, maximum: 3600 }),
} as const

/** CI jobs that may have a token: who says what they are, and what must be said. */
export const CiTrust = Type.Object(
  {
    id: Id,
    ...shape,
    jwksUrl: Type.Union([Url, Type.Null()]),
    node: Type.Object({ id: Id, path: Type.String() }, closed),
    createdMs: TimeMs,
    createdBy: Type.String(),
  },
  closed,
)
export type CiTrust = Static<typeof CiTrust>

export const ciOperations = {
  listCiTrusts: defineOperation({
    id: 'listCiTrusts',
    method: 'GET',
    path: '/v1/ci/trusts',
    role: ['owner', 'admin', 'security'],
    summary: 'Lists CI jobs that may have a token for their identity.',
    reply: Type.Object({ items: Type.Array(CiTrust) }, closed),
    errors: [],
  }),
  createCiTrust: defineOperation({
    id: 'createCiTrust',
    method: 'POST',
    path: '/v1/ci/trusts',
    role: ['owner', 'admin'],
    summary: 'Lets CI jobs with an identity of an issuer have a short-lived token of a role.',
    body: Type.Object(
      {
        ...shape,
        lifetimeS: Type.Optional(shape.lifetimeS),
        jwksUrl: Type.Optional(Url),
        node: Type.Optional(
          Type.String({
            minLength: 1,
            maxLength: 512,
            description: 'Id, name or path; the root if left out.',
          }),
        ),
      },
      closed,
    ),
    reply: CiTrust,
    status: 201,
    errors: ['already_exists', 'not_found', 'forbidden', 'invalid_request'],
  }),
  deleteCiTrust: defineOperation({
    id: 'deleteCiTrust',
    method: 'DELETE',
    path: '/v1/ci/trusts/:id',
    role: ['owner', 'admin', 'security'],
    summary: 'Takes a trust back; tokens that were given for it end with their time.',
    params: Type.Object({ id: Id }, closed),
    reply: Type.Object({ id: Id }, closed),
    errors: ['not_found'],
  }),
  exchangeCiToken: defineOperation({
    id: 'exchangeCiToken',
    method: 'POST',
    path: '/v1/ci/exchange',
    role: 'public',
    summary: 'Gives a CI job a short-lived token for its identity (OpenID Connect ID token), once.',
    body: Type.Object({ identity: Type.String({ minLength: 16, maxLength: 16_384 }) }, closed),
    reply: Type.Object(
      {
        token: Type.String({ description: 'Shown once.' }),
        expiresMs: TimeMs,
        name: Name,
        role: Type.Enum([...roles]),
        node: Type.Object({ id: Id, path: Type.String() }, closed),
      },
      closed,
    ),
    status: 201,
    errors: ['key_invalid', 'rate_limited'],
  }),
} as const
