import { type Static, Type } from 'typebox'
import { defineOperation } from '../operation.ts'
import { ParamValue } from '../param-value.ts'
import { ParamDeclaration } from '../policy.ts'
import { EnvironmentName, Name, TimeMs } from '../scalars.ts'

const closed = { additionalProperties: false } as const
const orNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()])
const pending = Type.Optional(Type.Array(Type.String()))
const Reason = Type.String({ minLength: 1, maxLength: 512 })

export const SwitchedPolicy = Type.Object(
  { workspace: Name, policy: Type.String({ minLength: 1, maxLength: 128 }) },
  closed,
)
export const FreezeView = Type.Object(
  {
    reason: Type.String(),
    deployments: Type.Boolean({ description: 'Nothing is deployed, no ramp goes on.' }),
    candidates: Type.Boolean({ description: 'All calls are decided by stable versions.' }),
    policies: Type.Array(SwitchedPolicy, { description: 'Policies that are not asked.' }),
    by: Type.String(),
    sinceMs: TimeMs,
  },
  closed,
)
export type FreezeView = Static<typeof FreezeView>
const EnvironmentFreeze = Type.Object(
  { environment: EnvironmentName, freeze: orNull(FreezeView), pending },
  closed,
)

/** A param of a deployed workspace: what it is now, and why. */
export const Param = Type.Object(
  {
    environment: EnvironmentName,
    workspace: Name,
    name: Type.String(),
    value: ParamValue,
    source: Type.Enum(['state', 'environment', 'default'], {
      description: '`state`: set here; `environment`: from signalbox.yaml; `default`: of its declaration.',
    }),
    declaration: ParamDeclaration,
    revision: Type.Integer({ minimum: 0, description: 'Counts its changes here; 0 where there was none.' }),
    by: orNull(Type.String()),
    changedMs: orNull(TimeMs),
    pending,
  },
  closed,
)
export const ParamChange = Type.Object(
  {
    environment: EnvironmentName,
    workspace: Name,
    name: Type.String(),
    revision: Type.Integer({ minimum: 1 }),
    value: orNull(ParamValue),
    by: Type.String(),
    timeMs: TimeMs,
  },
  closed,
)

const ByEnvironment = Type.Object({ environment: EnvironmentName }, closed)

/** What holds at once, without a version: freezes and hot values. */
export const switchOperations = {
  freezeEnvironment: defineOperation({
    id: 'freezeEnvironment',
    method: 'POST',
    path: '/v1/environments/:environment/freeze',
    role: ['owner', 'admin', 'security'],
    summary:
      'Stops deployments, candidates or single policies at once, by a signed state. Adds to a freeze that is on.',
    params: ByEnvironment,
    body: Type.Object(
      {
        reason: Reason,
        deployments: Type.Optional(
          Type.Boolean({
            description: 'True if nothing else is named: nothing is deployed, no ramp goes on.',
          }),
        ),
        candidates: Type.Optional(Type.Boolean({ description: 'All calls are decided by stable versions.' })),
        policies: Type.Optional(
          Type.Array(SwitchedPolicy, {
            minItems: 1,
            maxItems: 64,
            description: 'Policies that are not asked; a constraint needs the role security.',
          }),
        ),
      },
      closed,
    ),
    reply: EnvironmentFreeze,
    errors: ['not_found', 'forbidden', 'invalid_request'],
  }),
  unfreezeEnvironment: defineOperation({
    id: 'unfreezeEnvironment',
    method: 'POST',
    path: '/v1/environments/:environment/unfreeze',
    role: ['owner', 'admin', 'security'],
    summary: 'Ends a freeze, or of it what is named.',
    params: ByEnvironment,
    body: Type.Object(
      {
        deployments: Type.Optional(Type.Boolean()),
        candidates: Type.Optional(Type.Boolean()),
        policies: Type.Optional(Type.Array(SwitchedPolicy, { minItems: 1, maxItems: 64 })),
      },
      closed,
    ),
    reply: EnvironmentFreeze,
    errors: ['not_found', 'conflict'],
  }),
  listParams: defineOperation({
    id: 'listParams',
    method: 'GET',
    path: '/v1/params',
    role: 'member',
    summary: 'Params of the workspaces of an environment, with what they are now.',
    query: Type.Object({ environment: EnvironmentName, workspace: Type.Optional(Name) }, closed),
    reply: Type.Object({ items: Type.Array(Param) }, closed),
    errors: ['not_found'],
  }),
  setParam: defineOperation({
    id: 'setParam',
    method: 'PUT',
    path: '/v1/params',
    role: ['owner', 'admin', 'developer'],
    summary: 'Gives a param another value at once, without a version; null takes it back.',
    body: Type.Object(
      {
        environment: EnvironmentName,
        workspace: Type.Optional(Name),
        name: Type.String({ minLength: 1, maxLength: 128 }),
        value: orNull(ParamValue),
        revision: Type.Optional(Type.Integer({ minimum: 0 })),
      },
      closed,
    ),
    reply: Param,
    errors: ['not_found', 'conflict', 'invalid_request'],
  }),
  listParamChanges: defineOperation({
    id: 'listParamChanges',
    method: 'GET',
    path: '/v1/params/changes',
    role: 'member',
    summary: 'Every value that params ever had, newest first.',
    query: Type.Object(
      {
        environment: EnvironmentName,
        name: Type.Optional(Type.String({ maxLength: 128 })),
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })),
      },
      closed,
    ),
    reply: Type.Object({ items: Type.Array(ParamChange) }, closed),
    errors: ['not_found'],
  }),
} as const
