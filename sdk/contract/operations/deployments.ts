import { type Static, Type } from 'typebox'
import { defineOperation } from '../operation.ts'
import {
  bucketKinds,
  Comparison,
  Evidence,
  Guards,
  GuardsChange,
  RampStep,
  rampStepsMax,
} from '../rollout.ts'
import { Digest, EnvironmentName, Id, Name, TimeMs } from '../scalars.ts'
import { NumberedVersion } from '../version-changes.ts'

const closed = { additionalProperties: false } as const
const orNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()])
const pending = Type.Optional(Type.Array(Type.String()))
/** `v12`, `12`, a digest, or the start of one (8 hex digits or more). */
export const VersionReference = Type.String({
  minLength: 1,
  maxLength: 80,
  description: '`v12`, a digest or its start.',
})
const Reason = Type.String({ minLength: 1, maxLength: 512 })
const ShadowShare = Type.Integer({
  minimum: 1,
  maximum: 1_000_000,
  description:
    'Of all calls, how many the shadows here look at; left out of an answer: all; of a wish: as many as before.',
})

/** The version that a part of the calls is decided by, and how it goes on. */
export const Candidate = Type.Object(
  {
    version: Type.Integer(),
    digest: Digest,
    ppm: Type.Integer({ minimum: 0, maximum: 1_000_000, description: 'Share of the callers it may have.' }),
    teams: Type.Array(Type.String(), { description: 'Paths of the nodes it is for; all where empty.' }),
    by: Type.Enum([...bucketKinds], { description: 'What callers are told apart by.' }),
    rollout: Type.String({ description: 'Id of the deployment that began it.' }),
    step: Type.Integer({ minimum: 1, description: 'Counts the shares that it has had.' }),
    ramp: Type.Array(RampStep, {
      description: 'Shares still to come, this one first; empty without a plan.',
    }),
    guards: Guards,
    sinceMs: TimeMs,
  },
  closed,
)
export type Candidate = Static<typeof Candidate>

/** Somebody else has to agree before it holds. */
export const Approval = Type.Object(
  {
    id: Id,
    needed: Type.Integer({ minimum: 1 }),
    role: orNull(Type.String({ description: 'Role that an approver must have.' })),
    requestedBy: Type.String(),
    requestedMs: TimeMs,
    decisions: Type.Array(
      Type.Object(
        {
          by: Type.String({ description: 'Token or user.' }),
          person: Type.String({ description: 'The human who decided.' }),
          decision: Type.Enum(['approved', 'rejected']),
          comment: orNull(Type.String()),
          timeMs: TimeMs,
        },
        closed,
      ),
    ),
  },
  closed,
)
export type Approval = Static<typeof Approval>

export const deploymentCauses = ['push', 'promotion', 'ramp', 'rollback', 'guard'] as const
export const Deployment = Type.Object(
  {
    id: Id,
    environment: EnvironmentName,
    workspace: Name,
    /** Counts the deployments of the workspace in the environment; 0 while it awaits approval. */
    revision: Type.Integer({ minimum: 0 }),
    status: Type.Enum(['live', 'replaced', 'awaiting_approval', 'rejected', 'outdated'], {
      description: '`outdated`: something else was deployed while it waited.',
    }),
    stable: NumberedVersion,
    candidate: orNull(Candidate),
    shadows: Type.Array(NumberedVersion),
    shadowPpm: Type.Optional(ShadowShare),
    /** Sequence of the release that carries it; 0 where none does. */
    release: Type.Integer(),
    rollbackOf: orNull(Id),
    cause: Type.Enum([...deploymentCauses]),
    reason: orNull(Type.String()),
    by: Type.String(),
    createdMs: TimeMs,
    evidence: orNull(Evidence),
    approval: orNull(Approval),
    pending,
  },
  closed,
)
export type Deployment = Static<typeof Deployment>

/** How one decision became another in a shadow. */
export const ShadowChange = Type.Object(
  {
    version: Type.Integer(),
    digest: Digest,
    from: Type.String({ description: '`policy/rule` that decided; `-` where none did.' }),
    to: Type.String({ description: '`policy/rule` that would have.' }),
    effect: Type.String({ description: '`allow→deny`' }),
    same: Type.Boolean(),
    calls: Type.Integer({ minimum: 0 }),
    records: Type.Array(Id, { maxItems: 10, description: 'The first calls of its kind.' }),
  },
  closed,
)
export type ShadowChange = Static<typeof ShadowChange>

const ById = Type.Object({ id: Id }, closed)
const ExpectedRevision = Type.Optional(
  Type.Integer({ minimum: 0, description: 'Revision of the deployment that it was decided on.' }),
)
const Decide = Type.Object(
  {
    person: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 256,
        description: 'Who decides, where it is a token that asks.',
      }),
    ),
    comment: Type.Optional(Type.String({ maxLength: 1024 })),
  },
  closed,
)
const environmentQuery = Type.Object(
  {
    environment: Type.Optional(EnvironmentName),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })),
  },
  closed,
)

/** What runs where: stable versions, candidates, shadows, and who agreed to them. */
export const deploymentOperations = {
  listDeployments: defineOperation({
    id: 'listDeployments',
    method: 'GET',
    path: '/v1/deployments',
    role: 'member',
    summary: 'History of deployments, newest first.',
    query: environmentQuery,
    reply: Type.Object({ items: Type.Array(Deployment) }, closed),
    errors: [],
  }),
  getDeployment: defineOperation({
    id: 'getDeployment',
    method: 'GET',
    path: '/v1/deployments/:id',
    role: 'member',
    summary: 'One deployment, with its candidate beside stable and what shadows would have said.',
    params: ById,
    reply: Type.Object(
      {
        ...Deployment.properties,
        previous: orNull(
          Type.Object(NumberedVersion.properties, {
            ...closed,
            description: 'The stable version that a rollback goes to; null where there is none.',
          }),
        ),
        comparison: orNull(Comparison),
        shadowChanges: Type.Array(ShadowChange),
      },
      closed,
    ),
    errors: ['not_found'],
  }),
  promoteVersion: defineOperation({
    id: 'promoteVersion',
    method: 'POST',
    path: '/v1/deployments',
    role: 'admin',
    summary: 'Makes a version the stable one of an environment, its candidate, or a shadow.',
    body: Type.Object(
      {
        version: VersionReference,
        environment: EnvironmentName,
        canaryPpm: Type.Optional(
          Type.Integer({
            minimum: 1,
            maximum: 1_000_000,
            description: 'Share of a candidate. Replaces, never adds.',
          }),
        ),
        teams: Type.Optional(
          Type.Array(Type.String({ minLength: 1, maxLength: 512 }), {
            minItems: 1,
            maxItems: 64,
            uniqueItems: true,
            description: 'Only for keys of these nodes (id, name or path) and below.',
          }),
        ),
        by: Type.Optional(Type.Enum([...bucketKinds], { description: '`user` if left out.' })),
        ramp: Type.Optional(
          Type.Array(RampStep, {
            minItems: 1,
            maxItems: rampStepsMax,
            description: 'Shares one after the other, rising. The first stands in place of `canaryPpm`.',
          }),
        ),
        guards: Type.Optional(GuardsChange),
        shadow: Type.Optional(
          Type.Boolean({ description: 'It only looks on: evaluated beside stable, without any effect.' }),
        ),
        shadowPpm: Type.Optional(ShadowShare),
        reason: Type.Optional(Reason),
        revision: ExpectedRevision,
      },
      closed,
    ),
    reply: Deployment,
    status: 201,
    errors: ['not_found', 'conflict', 'check_failed', 'invalid_request'],
  }),
  rollbackDeployment: defineOperation({
    id: 'rollbackDeployment',
    method: 'POST',
    path: '/v1/deployments/rollback',
    role: 'admin',
    summary:
      'Takes the candidate back; without one, puts an environment back to the version before or a given one.',
    body: Type.Object(
      {
        environment: EnvironmentName,
        workspace: Type.Optional(Name),
        to: Type.Optional(VersionReference),
        shadow: Type.Optional(
          Type.Union([VersionReference, Type.Literal('all')], {
            description: 'Takes a shadow away, or all.',
          }),
        ),
        reason: Type.Optional(Reason),
        revision: ExpectedRevision,
      },
      closed,
    ),
    reply: Deployment,
    status: 201,
    errors: ['not_found', 'conflict'],
  }),
  listApprovals: defineOperation({
    id: 'listApprovals',
    method: 'GET',
    path: '/v1/approvals',
    role: 'member',
    summary: 'Deployments that await approval, or did, newest first.',
    query: environmentQuery,
    reply: Type.Object({ items: Type.Array(Deployment) }, closed),
    errors: [],
  }),
  approveDeployment: defineOperation({
    id: 'approveDeployment',
    method: 'POST',
    path: '/v1/approvals/:id/approve',
    role: ['owner', 'admin', 'security'],
    summary: 'Agrees to a deployment that somebody else asked for; the last one that is needed deploys it.',
    params: ById,
    body: Decide,
    reply: Deployment,
    errors: ['not_found', 'conflict', 'forbidden', 'invalid_request'],
  }),
  rejectDeployment: defineOperation({
    id: 'rejectDeployment',
    method: 'POST',
    path: '/v1/approvals/:id/reject',
    role: ['owner', 'admin', 'security'],
    summary: 'Refuses a deployment that awaits approval. Who asked for it may take it back so.',
    params: ById,
    body: Decide,
    reply: Deployment,
    errors: ['not_found', 'conflict', 'invalid_request'],
  }),
} as const
