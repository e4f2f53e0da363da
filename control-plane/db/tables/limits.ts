import { sql } from 'drizzle-orm'
import { bigint, check, index, integer, jsonb, pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { organisationId, timeMs } from '../columns.ts'
import { apiKey, node, organisation } from './access.ts'

/** How many requests, tokens and calls at the same time a node or a key may have. */
export const rateLimit = pgTable(
  'rate_limit',
  {
    id: uuid('id').primaryKey(),
    organisationId: organisationId().references(() => organisation.id),
    /** The owner: one of the two. */
    nodeId: uuid('node_id').references(() => node.id, { onDelete: 'cascade' }),
    keyId: uuid('key_id').references(() => apiKey.id, { onDelete: 'cascade' }),
    unit: text('unit', { enum: ['requests', 'tokens', 'concurrency'] }).notNull(),
    /** Null for concurrency. */
    window: text('window', { enum: ['minute', 'hour', 'day'] }),
    model: text('model'),
    metadata: jsonb('metadata').$type<{ name: string; value: string | number | boolean }>(),
    per: text('per'),
    /** What there is one limit of an owner for, as text: unit, window, model, metadata and per. */
    place: text('place').notNull(),
    limit: bigint('limit_count', { mode: 'number' }).notNull(),
    mode: text('mode', { enum: ['hard', 'shadow'] }).notNull(),
    managedBy: text('managed_by', { enum: ['api', 'workspace'] }).notNull(),
    revision: integer('revision').notNull(),
    createdMs: timeMs('created').notNull(),
  },
  (table) => [
    uniqueIndex('rate_limit_of_node').on(table.nodeId, table.place),
    uniqueIndex('rate_limit_of_key').on(table.keyId, table.place),
    index('rate_limit_organisation').on(table.organisationId),
    check('rate_limit_owner', sql`(${table.nodeId} is null) <> (${table.keyId} is null)`),
    check('rate_limit_window', sql`(${table.window} is null) = (${table.unit} = 'concurrency')`),
    check('rate_limit_count', sql`${table.limit} >= 0`),
  ],
)
