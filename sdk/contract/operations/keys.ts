import { Type } from 'typebox'
import { KeyScopes } from '../documents.ts'
import { defineOperation } from '../operation.ts'
import { EnvironmentName, Id, Name, Revision, TimeMs } from '../scalars.ts'

const closed = { additionalProperties: false } as const
const pending = Type.Optional(
  Type.Array(Type.String(), { description: 'Gateways that have not acknowledged the change yet.' }),
)
const ById = Type.Object({ id: Id }, closed)
const Label = Type.String({ minLength: 1, maxLength: 128, description: 'Label, unique in the team.' })
const nullableTime = Type.Union([TimeMs, Type.Null()])
/** Longest time that a rotated key's old secret goes on working: 90 days. */
export const rotationGraceSMax = 90 * 86_400

export const Key = Type.Object(
  {
    id: Id,
    name: Type.String({ description: 'Label.' }),
    team: Type.Object({ id: Id, name: Name }, closed),
    environment: EnvironmentName,
    start: Type.String({ description: 'First characters of the key, to recognise it.' }),
    scopes: KeyScopes,
    revision: Revision,
    createdMs: TimeMs,
    expiresMs: nullableTime,
    revokedMs: nullableTime,
    rotatedMs: Type.Union([TimeMs, Type.Null()], { description: 'When its secret was changed last.' }),
    previousUntilMs: Type.Union([TimeMs, Type.Null()], {
      description: 'Until when a secret before works beside the newest; null where none does.',
    }),
    lastUsedMs: Type.Union([TimeMs, Type.Null()], {
      description: 'About when it was used last; known from records, so a little late.',
    }),
    pending,
  },
  closed,
)
export const CreatedKey = Type.Object(
  { ...Key.properties, key: Type.String({ description: 'The key itself, shown this once.' }) },
  closed,
)

export const keyOperations = {
  listKeys: defineOperation({
    id: 'listKeys',
    method: 'GET',
    path: '/v1/keys',
    role: 'member',
    scope: 'reach',
    summary: 'Lists keys, newest first, a page at a time, without their values.',
    query: Type.Object(
      {
        team: Type.Optional(Type.String({ maxLength: 1024, description: 'Id, name or path.' })),
        environment: Type.Optional(EnvironmentName),
        name: Type.Optional(Type.String({ maxLength: 128, description: 'Exactly this label.' })),
        prefix: Type.Optional(
          Type.String({
            pattern: '^sb_[a-z]?[0-9A-Za-z]{0,24}$',
            description: 'How the key begins; a few characters are enough.',
          }),
        ),
        active: Type.Optional(
          Type.Boolean({ description: 'Only keys that are neither revoked nor expired.' }),
        ),
        cursor: Type.Optional(Type.String({ maxLength: 256 })),
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
      },
      closed,
    ),
    reply: Type.Object(
      { items: Type.Array(Key), nextCursor: Type.Union([Type.String(), Type.Null()]) },
      closed,
    ),
    errors: ['not_found', 'invalid_request'],
  }),
  getKey: defineOperation({
    id: 'getKey',
    method: 'GET',
    path: '/v1/keys/:id',
    role: 'member',
    scope: { key: 'id' },
    summary: 'One key, without its value.',
    params: ById,
    reply: Key,
    errors: ['not_found'],
  }),
  createKey: defineOperation({
    id: 'createKey',
    method: 'POST',
    path: '/v1/keys',
    role: ['owner', 'admin', 'developer'],
    scope: { node: 'team' },
    summary: 'Makes a key for a team. It works on the next request once all gateways acknowledged it.',
    body: Type.Object(
      {
        team: Type.String({ maxLength: 512, description: 'Id, name or path of the team.' }),
        name: Label,
        environment: Type.Optional(EnvironmentName),
        expiresMs: Type.Optional(TimeMs),
        scopes: Type.Optional(KeyScopes),
      },
      closed,
    ),
    reply: CreatedKey,
    status: 201,
    errors: ['not_found', 'already_exists', 'invalid_request'],
  }),
  updateKey: defineOperation({
    id: 'updateKey',
    method: 'PATCH',
    path: '/v1/keys/:id',
    role: ['owner', 'admin', 'developer'],
    scope: { key: 'id' },
    summary: 'Changes a key: its label, its node, what it may be used for, when it expires.',
    params: ById,
    body: Type.Object(
      {
        revision: Revision,
        name: Type.Optional(Label),
        team: Type.Optional(Type.String({ maxLength: 1024, description: 'Moves it: id, name or path.' })),
        expiresMs: Type.Optional(Type.Union([TimeMs, Type.Null()], { description: 'Null: never.' })),
        scopes: Type.Optional(KeyScopes),
      },
      closed,
    ),
    reply: Key,
    errors: ['not_found', 'already_exists', 'conflict', 'invalid_request'],
  }),
  rotateKey: defineOperation({
    id: 'rotateKey',
    method: 'POST',
    path: '/v1/keys/:id/rotate',
    role: ['owner', 'admin', 'developer'],
    scope: { key: 'id' },
    summary: 'Gives a key a new secret; the old one works on for a time of grace, or not at all.',
    params: ById,
    body: Type.Object(
      {
        graceS: Type.Optional(
          Type.Integer({
            minimum: 0,
            maximum: rotationGraceSMax,
            description: 'Seconds that the old secret works on; a day if left out.',
          }),
        ),
      },
      closed,
    ),
    reply: CreatedKey,
    errors: ['not_found', 'conflict'],
  }),
  revokeKey: defineOperation({
    id: 'revokeKey',
    method: 'POST',
    path: '/v1/keys/:id/revoke',
    role: ['owner', 'admin', 'security', 'developer'],
    scope: { key: 'id' },
    summary: 'Revokes a key. It fails on the next request once all gateways acknowledged it.',
    params: ById,
    reply: Key,
    errors: ['not_found'],
  }),
} as const
