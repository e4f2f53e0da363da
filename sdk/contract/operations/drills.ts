import { type Static, Type } from 'typebox'
import { DrillPlan, ScoreCard } from '../drill.ts'
import { defineOperation } from '../operation.ts'
import { EnvironmentName, Id, NanoUsd, TimeMs } from '../scalars.ts'

const closed = { additionalProperties: false } as const
const orNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()])
const Model = Type.String({ minLength: 1, maxLength: 256, description: 'Alias or target that is drilled.' })

const plan = DrillPlan.properties
/** When a route is drilled, by the control plane, through a gateway of the environment. */
export const DrillSchedule = Type.Object(
  {
    id: Id,
    environment: EnvironmentName,
    model: Model,
    ...plan,
    workspace: orNull(
      Type.String({ description: 'Declared in the `signalbox.yaml` of this workspace; null: made here.' }),
    ),
    hasKey: Type.Boolean({ description: 'Without a key no run is made.' }),
    createdMs: TimeMs,
    createdBy: Type.String(),
    nextMs: TimeMs,
  },
  closed,
)
export type DrillSchedule = Static<typeof DrillSchedule>
const runHead = {
  id: Id,
  timeMs: TimeMs,
  source: Type.Enum(['schedule', 'report'], { description: 'Who made it: the control plane, or the CLI.' }),
  held: Type.Integer({ minimum: 0 }),
  of: Type.Integer({ minimum: 0 }),
  costNanoUsd: NanoUsd,
  error: orNull(Type.String({ description: 'Why it could not be made.' })),
}
/** The drills of a route: how it stands, and its last runs, newest first. */
export const DrilledRoute = Type.Object(
  {
    environment: EnvironmentName,
    model: Model,
    schedule: orNull(DrillSchedule),
    provenMs: orNull(Type.Integer({ description: 'When a run last held wholly.' })),
    unproven: Type.Boolean({ description: 'For longer than the schedule lets it be.' }),
    card: orNull(ScoreCard),
    runs: Type.Array(Type.Object(runHead, closed)),
  },
  closed,
)
/** The body that webhooks get of a route that has not been proven for too long. */
export const DrillAlertMessage = Type.Object(
  {
    type: Type.Literal('drill.unproven'),
    id: Id,
    environment: EnvironmentName,
    model: Model,
    provenMs: orNull(TimeMs),
    unprovenMs: Type.Integer({ minimum: 0 }),
    timeMs: TimeMs,
  },
  closed,
)
export type DrillAlertMessage = Static<typeof DrillAlertMessage>

export const drillOperations = {
  listDrills: defineOperation({
    id: 'listDrills',
    method: 'GET',
    path: '/v1/drills',
    role: 'member',
    summary: 'Routes that are drilled: their score cards, and since when none has held.',
    query: Type.Object({ environment: Type.Optional(EnvironmentName) }, closed),
    reply: Type.Object({ items: Type.Array(DrilledRoute) }, closed),
    errors: ['not_found'],
  }),
  setDrillSchedule: defineOperation({
    id: 'setDrillSchedule',
    method: 'PUT',
    path: '/v1/drills',
    role: 'admin',
    summary:
      'Drills a route now and then from now on, with a key whose budgets pay for the answers. Of a route that a workspace declares, the key alone.',
    body: Type.Object(
      {
        environment: Type.Optional(EnvironmentName),
        model: Model,
        key: Type.Optional(
          Type.String({
            minLength: 8,
            maxLength: 128,
            description: 'Kept encrypted; needed the first time.',
          }),
        ),
        everyMs: Type.Optional(plan.everyMs),
        targets: Type.Optional(plan.targets),
        faults: Type.Optional(plan.faults),
        golden: Type.Optional(plan.golden),
        costNanoUsdMax: Type.Optional(plan.costNanoUsdMax),
        unprovenMs: Type.Optional(plan.unprovenMs),
      },
      closed,
    ),
    reply: DrillSchedule,
    errors: ['not_found', 'conflict', 'invalid_request'],
  }),
  deleteDrillSchedule: defineOperation({
    id: 'deleteDrillSchedule',
    method: 'DELETE',
    path: '/v1/drills/:id',
    role: 'admin',
    summary: 'Drills a route no more by itself; its runs stay.',
    params: Type.Object({ id: Id }, closed),
    reply: Type.Object({ id: Id }, closed),
    errors: ['not_found', 'conflict'],
  }),
  reportDrills: defineOperation({
    id: 'reportDrills',
    method: 'POST',
    path: '/v1/drills/runs',
    role: ['owner', 'admin', 'developer'],
    summary: 'Keeps the score cards of drills that were made elsewhere.',
    body: Type.Object(
      {
        environment: Type.Optional(EnvironmentName),
        cards: Type.Array(ScoreCard, { minItems: 1, maxItems: 64 }),
      },
      closed,
    ),
    reply: Type.Object({ items: Type.Array(Type.Object({ id: Id, model: Model }, closed)) }, closed),
    status: 201,
    errors: ['not_found', 'request_too_large'],
  }),
} as const
