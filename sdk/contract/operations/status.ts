import { Type } from 'typebox'
import { defineOperation } from '../operation.ts'
import { EnvironmentName, Id, Name, TimeMs } from '../scalars.ts'
import { Gateway } from './access.ts'
import { Deployment } from './versions.ts'

const closed = { additionalProperties: false } as const
export const AuditRow = Type.Object(
  {
    sequence: Type.Integer({ minimum: 1 }),
    timeMs: TimeMs,
    actor: Type.String({ description: 'Token name, or `system`.' }),
    action: Type.String({ description: 'Operation id.' }),
    object: Type.String({ description: 'Kind and id of what was changed.' }),
    detail: Type.Record(Type.String(), Type.Unknown()),
    previousHash: Type.String(),
    hash: Type.String({ description: 'SHA-256 over the row and the hash before it.' }),
  },
  closed,
)

export const statusOperations = {
  getStatus: defineOperation({
    id: 'getStatus',
    method: 'GET',
    path: '/v1/status',
    role: 'member',
    summary: 'What runs where: deployments, documents, gateways and how far they have converged.',
    query: Type.Object({ environment: Type.Optional(EnvironmentName) }, closed),
    reply: Type.Object(
      {
        organisation: Type.Object({ id: Id, name: Name }, closed),
        software: Type.String(),
        environments: Type.Array(
          Type.Object(
            {
              name: Name,
              release: Type.Union([Type.Integer(), Type.Null()]),
              state: Type.Union([Type.Integer(), Type.Null()]),
              deployments: Type.Array(Deployment),
              gateways: Type.Array(Gateway),
              converged: Type.Boolean(),
            },
            closed,
          ),
        ),
      },
      closed,
    ),
    errors: ['not_found'],
  }),
  listAudit: defineOperation({
    id: 'listAudit',
    method: 'GET',
    path: '/v1/audit',
    role: 'admin',
    summary: 'Administrative changes, newest first.',
    query: Type.Object(
      {
        before: Type.Optional(Type.Integer({ minimum: 1 })),
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
      },
      closed,
    ),
    reply: Type.Object({ items: Type.Array(AuditRow) }, closed),
    errors: [],
  }),
} as const
