import { type Static, Type } from 'typebox'
import { limitShape } from '../limits.ts'
import { BudgetOwner } from '../money.ts'
import { defineOperation } from '../operation.ts'
import { Id, TimeMs } from '../scalars.ts'

const closed = { additionalProperties: false } as const
const pending = Type.Optional(Type.Array(Type.String()))
const Team = Type.String({ minLength: 1, maxLength: 512, description: 'Id, name or path of a node.' })
const KeyId = Type.String({ minLength: 1, maxLength: 64, description: 'Id of a key.' })
const Revision = Type.Integer({
  minimum: 0,
  description: 'The revision that the change was made on, 0 for a limit that is not there yet.',
})

/** A limit as it is kept. There is one per owner, unit, window, model, metadata value and `per`. */
export const Limit = Type.Object(
  {
    id: Id,
    owner: BudgetOwner,
    path: Type.String({ description: 'Names from the root down to the owner; empty for the organisation.' }),
    ...limitShape,
    managedBy: Type.Enum(['api', 'workspace'], {
      description: '`workspace`: declared in `signalbox.yaml`, set again by the next deployment.',
    }),
    revision: Type.Integer({ minimum: 1 }),
    createdMs: TimeMs,
    pending,
  },
  closed,
)
export type Limit = Static<typeof Limit>

export const limitOperations = {
  listLimits: defineOperation({
    id: 'listLimits',
    method: 'GET',
    path: '/v1/limits',
    role: 'member',
    scope: 'reach',
    summary: 'Lists limits of requests, tokens and concurrency, by the place of their owners.',
    query: Type.Object({ team: Type.Optional(Team), key: Type.Optional(KeyId) }, closed),
    reply: Type.Object({ items: Type.Array(Limit) }, closed),
    errors: ['not_found'],
  }),
  setLimit: defineOperation({
    id: 'setLimit',
    method: 'PUT',
    path: '/v1/limits',
    role: ['owner', 'admin', 'finance'],
    scope: { node: 'team', key: 'key' },
    summary:
      'Makes the limit of an owner, unit, window, model, metadata value and `per`, or changes its number and mode.',
    body: Type.Object(
      {
        team: Type.Optional(Team),
        key: Type.Optional(KeyId),
        ...limitShape,
        mode: Type.Optional(limitShape.mode),
        revision: Type.Optional(Revision),
      },
      { ...closed, description: 'Exactly one of `team` and `key`; `window` for all but `concurrency`.' },
    ),
    reply: Limit,
    errors: ['not_found', 'conflict', 'invalid_request'],
  }),
  deleteLimit: defineOperation({
    id: 'deleteLimit',
    method: 'DELETE',
    path: '/v1/limits/:id',
    role: ['owner', 'admin', 'finance'],
    scope: { limit: 'id' },
    summary: 'Deletes a limit.',
    params: Type.Object({ id: Id }, closed),
    query: Type.Object({ revision: Type.Optional(Type.Integer({ minimum: 1 })) }, closed),
    reply: Type.Object({ id: Id, pending }, closed),
    errors: ['not_found', 'conflict'],
  }),
} as const
