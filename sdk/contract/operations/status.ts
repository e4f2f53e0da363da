import { Type } from 'typebox'
import { defineOperation } from '../operation.ts'
import { EnvironmentName, Id, Name, TimeMs } from '../scalars.ts'
import { Gateway } from './access.ts'
import { Deployment } from './deployments.ts'
import { FreezeView } from './switches.ts'

const closed = { additionalProperties: false } as const
export const AuditRow = Type.Object(
  {
    organisationId: Id,
    sequence: Type.Integer({ minimum: 1 }),
    timeMs: TimeMs,
    actor: Type.String({ description: 'Name of the token or user, or `system`.' }),
    action: Type.String({ description: 'Operation id.' }),
    object: Type.String({ description: 'Kind and id of what was changed.' }),
    detail: Type.Record(Type.String(), Type.Unknown()),
    previousHash: Type.String(),
    hash: Type.String({ description: 'SHA-256 over the row and the hash before it.' }),
  },
  closed,
)

/** The last nightly replay of recorded calls: the same decisions must come out. */
export const SelfCheck = Type.Object(
  {
    startedMs: TimeMs,
    endedMs: Type.Union([TimeMs, Type.Null()], { description: 'Null where it did not come to its end.' }),
    records: Type.Integer({ minimum: 0 }),
    undecided: Type.Integer({ minimum: 0, description: 'Calls that ended before any policy was asked.' }),
    same: Type.Integer({ minimum: 0 }),
    different: Type.Integer({ minimum: 0 }),
    otherSelections: Type.Integer({ minimum: 0, description: 'Calls whose plan gives other targets now.' }),
    examples: Type.Array(Id, { description: 'The first records that came out different.' }),
    failure: Type.Union([Type.String(), Type.Null()]),
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
        /** Reports of money that the ledger refused and nobody has decided about. */
        refusedReports: Type.Integer({ minimum: 0 }),
        environments: Type.Array(
          Type.Object(
            {
              name: Name,
              release: Type.Union([Type.Integer(), Type.Null()]),
              state: Type.Union([Type.Integer(), Type.Null()]),
              deployments: Type.Array(Deployment),
              gateways: Type.Array(Gateway),
              converged: Type.Boolean(),
              freeze: Type.Union([FreezeView, Type.Null()]),
              root: Type.Integer({ description: 'Sequence of the newest root document.' }),
              convergence: Type.Object(
                {
                  connected: Type.Integer(),
                  root: Type.Integer(),
                  release: Type.Integer(),
                  state: Type.Integer(),
                  rejecting: Type.Integer(),
                },
                {
                  ...closed,
                  description: 'Connected gateways, and how many of them run the newest of each document.',
                },
              ),
              drift: Type.Array(
                Type.Object(
                  {
                    workspace: Name,
                    role: Type.Enum(['stable', 'candidate', 'shadow']),
                    version: Type.Integer({ minimum: 1 }),
                    parent: Type.Union([Type.Integer({ minimum: 1 }), Type.Null()]),
                    by: Type.String(),
                    source: Type.String(),
                    createdMs: TimeMs,
                  },
                  closed,
                ),
                {
                  description: 'Versions that run here and stand in no commit: edits that Git does not have.',
                },
              ),
              selfCheck: Type.Union([SelfCheck, Type.Null()], {
                description: 'Null where none was made yet.',
              }),
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
    role: ['owner', 'admin', 'security'],
    summary: 'Administrative changes, newest first; after a sequence, oldest first.',
    query: Type.Object(
      {
        before: Type.Optional(Type.Integer({ minimum: 1 })),
        after: Type.Optional(Type.Integer({ minimum: 0, description: 'Not with `before`.' })),
        action: Type.Optional(Type.String({ maxLength: 64, description: 'Only of this operation.' })),
        actor: Type.Optional(Type.String({ maxLength: 128, description: 'Only by this one.' })),
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
      },
      closed,
    ),
    reply: Type.Object({ items: Type.Array(AuditRow) }, closed),
    errors: ['invalid_request'],
  }),
  verifyAudit: defineOperation({
    id: 'verifyAudit',
    method: 'GET',
    path: '/v1/audit/verify',
    role: ['owner', 'admin', 'security'],
    summary:
      'Reads the whole audit log and the chains of segments, and names the first row that is not as it was written.',
    query: Type.Object(
      {
        sequence: Type.Optional(
          Type.Integer({ minimum: 1, description: 'A row that was there before; with `hash`.' }),
        ),
        hash: Type.Optional(
          Type.String({
            pattern: '^[0-9a-f]{64}$',
            description: 'Its hash: shows whether the end was cut off.',
          }),
        ),
      },
      closed,
    ),
    reply: Type.Object(
      {
        rows: Type.Integer({ minimum: 0 }),
        /** To be kept elsewhere, and given to the next verification. */
        head: Type.Union([
          Type.Object({ sequence: Type.Integer({ minimum: 1 }), hash: Type.String() }, closed),
          Type.Null(),
        ]),
        /** Sequence of the first wrong row; null where all are right. */
        broken: Type.Union([Type.Integer({ minimum: 1 }), Type.Null()]),
        /** The row that was named is there as it was; null where none was named. */
        continues: Type.Union([Type.Boolean(), Type.Null()]),
        segments: Type.Integer({ minimum: 0 }),
        /** Segments of records that do not continue their chain, or whose bytes are not those of their digest. */
        brokenSegments: Type.Array(Type.String(), { maxItems: 100 }),
      },
      closed,
    ),
    errors: ['invalid_request'],
  }),
} as const
