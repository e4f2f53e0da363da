import { Type } from 'typebox'
import { nodeKinds } from '../documents.ts'
import { defineOperation } from '../operation.ts'
import { Id, Name, Revision, TimeMs } from '../scalars.ts'

const closed = { additionalProperties: false } as const
const pending = Type.Optional(
  Type.Array(Type.String(), { description: 'Gateways that have not acknowledged the change yet.' }),
)
const Reference = Type.String({ minLength: 1, maxLength: 1024, description: 'Id, name or path of a node.' })

export const Team = Type.Object(
  {
    id: Id,
    name: Name,
    kind: Type.Enum([...nodeKinds]),
    parentId: Type.Union([Id, Type.Null()]),
    path: Type.String({ description: 'Names from the root down, joined by `/`.' }),
    managedBy: Type.Enum(['api', 'workspace']),
    keys: Type.Integer({ minimum: 0, description: 'Keys that are not revoked.' }),
    revision: Revision,
    createdMs: TimeMs,
    pending,
  },
  closed,
)

export const treeOperations = {
  listTeams: defineOperation({
    id: 'listTeams',
    method: 'GET',
    path: '/v1/teams',
    role: 'member',
    scope: 'reach',
    summary: 'Lists the nodes of the tree, parents before children.',
    reply: Type.Object({ items: Type.Array(Team) }, closed),
    errors: [],
  }),
  createTeam: defineOperation({
    id: 'createTeam',
    method: 'POST',
    path: '/v1/teams',
    role: 'admin',
    scope: { node: 'parent' },
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
  updateTeam: defineOperation({
    id: 'updateTeam',
    method: 'PATCH',
    path: '/v1/teams/:team',
    role: 'admin',
    scope: { node: 'team' },
    summary: 'Renames a node, or moves it with all below it to another parent.',
    params: Type.Object({ team: Reference }, closed),
    body: Type.Object(
      {
        revision: Revision,
        name: Type.Optional(Name),
        parent: Type.Optional(
          Type.String({ maxLength: 1024, description: 'Id, name or path; empty for the organisation.' }),
        ),
      },
      closed,
    ),
    reply: Team,
    errors: ['not_found', 'already_exists', 'conflict', 'invalid_request'],
  }),
  deleteTeam: defineOperation({
    id: 'deleteTeam',
    method: 'DELETE',
    path: '/v1/teams/:team',
    role: 'admin',
    scope: { node: 'team' },
    summary: 'Deletes a node that has no children, no keys that work, and never had a call.',
    params: Type.Object({ team: Reference }, closed),
    query: Type.Object({ revision: Type.Optional(Revision) }, closed),
    reply: Team,
    errors: ['not_found', 'conflict'],
  }),
} as const
