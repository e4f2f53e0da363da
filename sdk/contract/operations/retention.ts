import { type Static, Type } from 'typebox'
import { FactsClassSchema, factsClasses, Mask } from '../facts-class.ts'
import { defineOperation } from '../operation.ts'
import { EnvironmentName, Id, NanoUsd, TimeMs } from '../scalars.ts'

const closed = { additionalProperties: false } as const
const pending = Type.Optional(Type.Array(Type.String()))
const Team = Type.String({ minLength: 1, maxLength: 512, description: 'Id, name or path of a node.' })
const Days = Type.Integer({ minimum: 1, maximum: 36_500 })
const Bodies = Type.Union([Type.Literal('none'), Type.Literal('forever'), Days], {
  description: 'Days that bodies are kept; `none`: of a call only metering and digests are recorded at all.',
})
const Rows = Type.Union([Type.Literal('forever'), Days], {
  description: 'Days that rows are kept; 400 where nothing is said, and never fewer than bodies.',
})

/** What holds where no rule is on the path of a call. */
export const retentionDefaults = { bodyDays: 14, rowDays: 400 } as const

/** How long records are kept. The shortest of all rules on the path of a call wins. */
export const Retention = Type.Object(
  {
    id: Id,
    environment: Type.Optional(EnvironmentName),
    team: Type.Optional(
      Type.Object(
        { id: Id, path: Type.String({ description: 'Empty for the organisation.' }) },
        { ...closed, description: 'The node that it is of, with all below it.' },
      ),
    ),
    key: Type.Optional(Type.Object({ id: Id, name: Type.String() }, closed)),
    bodies: Bodies,
    rows: Rows,
    facts: FactsClassSchema,
    mask: Type.Optional(Mask),
    revision: Type.Integer({ minimum: 1 }),
    createdMs: TimeMs,
    pending,
  },
  closed,
)
export type Retention = Static<typeof Retention>

/** Sums of calls. */
export const Totals = Type.Object(
  {
    calls: Type.Integer(),
    errors: Type.Integer(),
    denied: Type.Integer(),
    costNanoUsd: NanoUsd,
    unpriced: Type.Integer(),
    inputTokens: Type.Integer(),
    outputTokens: Type.Integer(),
  },
  closed,
)

const keepers = ['owner', 'admin', 'security'] as const

export const retentionOperations = {
  listRetention: defineOperation({
    id: 'listRetention',
    method: 'GET',
    path: '/v1/retention',
    role: 'member',
    summary: 'Lists how long records are kept, and what holds where no rule says anything.',
    reply: Type.Object(
      {
        items: Type.Array(Retention),
        defaults: Type.Object({ bodyDays: Type.Integer(), rowDays: Type.Integer() }, closed),
      },
      closed,
    ),
    errors: [],
  }),
  setRetention: defineOperation({
    id: 'setRetention',
    method: 'PUT',
    path: '/v1/retention',
    role: keepers,
    summary: 'Says how long records of an environment, of a node with all below it, or of a key are kept.',
    body: Type.Object(
      {
        environment: Type.Optional(EnvironmentName),
        team: Type.Optional(Team),
        key: Type.Optional(Id),
        bodies: Bodies,
        rows: Type.Optional(Rows),
        facts: Type.Optional(
          Type.Enum([...factsClasses], {
            description:
              'How much of the facts gateways record: all, all but the masked ones, their digest. `full` where nothing is said.',
          }),
        ),
        mask: Type.Optional(Mask),
        revision: Type.Optional(
          Type.Integer({ minimum: 0, description: 'The revision that the change was made on.' }),
        ),
      },
      { ...closed, description: 'Exactly one of `environment`, `team` and `key`.' },
    ),
    reply: Retention,
    errors: ['not_found', 'conflict', 'invalid_request'],
  }),
  deleteRetention: defineOperation({
    id: 'deleteRetention',
    method: 'DELETE',
    path: '/v1/retention/:id',
    role: keepers,
    summary: 'Deletes a rule of retention; what it has deleted does not come back.',
    params: Type.Object({ id: Id }, closed),
    reply: Type.Object({ id: Id, pending }, closed),
    errors: ['not_found'],
  }),
  eraseRecords: defineOperation({
    id: 'eraseRecords',
    method: 'POST',
    path: '/v1/records/erase',
    role: keepers,
    summary:
      'Takes out of all records what is of one end user: bodies, metadata, sums. A bounded part of them at a time.',
    body: Type.Object(
      {
        user: Type.String({
          minLength: 1,
          maxLength: 256,
          description:
            'As calls named him: `user` of OpenAI, `metadata.user_id` of Anthropic, `user` of ours.',
        }),
      },
      closed,
    ),
    reply: Type.Object(
      {
        records: Type.Integer({ minimum: 0, description: 'Whose bodies were taken out now.' }),
        segments: Type.Integer({ minimum: 0, description: 'That were written anew.' }),
        done: Type.Boolean({ description: 'False where there is more: ask again.' }),
      },
      closed,
    ),
    errors: ['invalid_request'],
  }),
  getUsage: defineOperation({
    id: 'getUsage',
    method: 'GET',
    path: '/v1/usage',
    role: 'member',
    scope: 'reach',
    summary: 'Sums of calls by target, node, key or a declared metadata property; kept when records go.',
    query: Type.Object(
      {
        by: Type.Enum(['target', 'node', 'key', 'metadata']),
        name: Type.Optional(
          Type.String({ minLength: 1, maxLength: 64, description: 'Of the property, where by metadata.' }),
        ),
        environment: Type.Optional(EnvironmentName),
        team: Type.Optional(Team),
        sinceMs: Type.Optional(TimeMs),
        untilMs: Type.Optional(TimeMs),
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
      },
      closed,
    ),
    reply: Type.Object(
      {
        sinceMs: TimeMs,
        untilMs: TimeMs,
        totals: Totals,
        items: Type.Array(
          Type.Object(
            {
              value: Type.String({ description: 'Target, id of a node or key, or value of the property.' }),
              label: Type.Optional(Type.String({ description: 'Path of the node, label of the key.' })),
              ...Totals.properties,
            },
            closed,
          ),
          { description: 'The dearest first.' },
        ),
      },
      closed,
    ),
    errors: ['invalid_request', 'not_found'],
  }),
} as const
