import { Type } from 'typebox'
import { Explanation } from '../explanation.ts'
import { defineOperation } from '../operation.ts'
import { CallRecord, RecordRow } from '../record.ts'
import { arms } from '../rollout.ts'
import { EnvironmentName, Id, NanoUsd, TimeMs } from '../scalars.ts'
import { Totals } from './retention.ts'

const closed = { additionalProperties: false } as const
const ById = Type.Object({ id: Id }, closed)

/** What searches of records ask for; all given members must hold. */
export const recordFilter = {
  environment: Type.Optional(EnvironmentName),
  team: Type.Optional(
    Type.String({ maxLength: 512, description: 'Id, name or path of a node: it and all below.' }),
  ),
  key: Type.Optional(Id),
  target: Type.Optional(Type.String({ maxLength: 256 })),
  model: Type.Optional(Type.String({ maxLength: 256, description: 'As the caller named it.' })),
  policy: Type.Optional(Type.String({ maxLength: 128 })),
  rule: Type.Optional(Type.String({ maxLength: 128 })),
  effect: Type.Optional(Type.Enum(['allow', 'deny', 'error', 'none'])),
  errorCode: Type.Optional(Type.String({ maxLength: 64 })),
  statusMin: Type.Optional(Type.Integer({ minimum: 100, maximum: 599 })),
  arm: Type.Optional(
    Type.Enum([...arms], { description: 'Who decided, of calls that a rollout could have.' }),
  ),
} as const

/** Which time, and which page of it. */
export const recordSpan = {
  sinceMs: Type.Optional(TimeMs),
  untilMs: Type.Optional(TimeMs),
  cursor: Type.Optional(Type.String({ maxLength: 256 })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
} as const

export const recordOperations = {
  listRecords: defineOperation({
    id: 'listRecords',
    method: 'GET',
    path: '/v1/records',
    role: ['owner', 'admin', 'security', 'developer'],
    scope: 'reach',
    readsRecords: true,
    summary: 'Searches records, newest first, a page at a time.',
    query: Type.Object({ ...recordFilter, ...recordSpan }, closed),
    reply: Type.Object(
      { items: Type.Array(RecordRow), nextCursor: Type.Union([Type.String(), Type.Null()]) },
      closed,
    ),
    errors: ['invalid_request', 'not_found'],
  }),
  followRecords: defineOperation({
    id: 'followRecords',
    method: 'GET',
    path: '/v1/records/follow',
    role: ['owner', 'admin', 'security', 'developer'],
    scope: 'reach',
    readsRecords: true,
    summary: 'Streams the rows of new records as they arrive.',
    query: Type.Object({ ...recordFilter }, closed),
    reply: RecordRow,
    replyForm: 'events',
    errors: [],
  }),
  getRecord: defineOperation({
    id: 'getRecord',
    method: 'GET',
    path: '/v1/records/:id',
    role: ['owner', 'admin', 'security', 'developer'],
    scope: { record: 'id' },
    readsRecords: true,
    summary: 'One record, row and body.',
    params: ById,
    reply: CallRecord,
    errors: ['not_found'],
  }),
  explainRecord: defineOperation({
    id: 'explainRecord',
    method: 'GET',
    path: '/v1/records/:id/explain',
    role: ['owner', 'admin', 'security', 'developer'],
    scope: { record: 'id' },
    readsRecords: true,
    summary: 'Why a call was decided as it was: every policy, matched or not, and its conditions.',
    params: ById,
    reply: Explanation,
    errors: ['not_found'],
  }),
  getOverview: defineOperation({
    id: 'getOverview',
    method: 'GET',
    path: '/v1/overview',
    role: 'member',
    scope: 'reach',
    summary: 'Calls, spend and errors over a time, in equal steps and by target.',
    query: Type.Object(
      {
        environment: Type.Optional(EnvironmentName),
        sinceMs: Type.Optional(TimeMs),
        untilMs: Type.Optional(TimeMs),
      },
      closed,
    ),
    reply: Type.Object(
      {
        sinceMs: TimeMs,
        untilMs: TimeMs,
        stepMs: Type.Integer(),
        totals: Totals,
        series: Type.Array(Type.Object({ timeMs: TimeMs, ...Totals.properties }, closed)),
        byTarget: Type.Array(
          Type.Object({ target: Type.String(), durationMsP50: Type.Number(), ...Totals.properties }, closed),
        ),
        cache: Type.Object(
          { hits: Type.Integer(), misses: Type.Integer(), savedNanoUsd: NanoUsd },
          {
            ...closed,
            description: 'Calls that the cache had a part in, and what its answers would have cost.',
          },
        ),
        direct: Type.Object(Totals.properties, {
          ...closed,
          description:
            'Calls made past the gateways while they were away, as callers told it; in no other sum.',
        }),
        gaps: Type.Integer({ description: 'Records known to be lost in this time.' }),
      },
      closed,
    ),
    errors: [],
  }),
} as const
