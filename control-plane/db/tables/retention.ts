import { sql } from 'drizzle-orm'
import {
  bigint,
  check,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'
import { organisationId, timeMs } from '../columns.ts'
import { apiKey, node, organisation } from './access.ts'

/** How long records of an environment, of a node with all below it, or of a key are kept. The shortest wins. */
export const retention = pgTable(
  'retention',
  {
    id: uuid('id').primaryKey(),
    organisationId: organisationId().references(() => organisation.id),
    /** What it is of: one of the three. */
    environment: text('environment'),
    nodeId: uuid('node_id').references(() => node.id, { onDelete: 'cascade' }),
    keyId: uuid('key_id').references(() => apiKey.id, { onDelete: 'cascade' }),
    /** Days that bodies are kept; 0 is `none`, null is for ever. */
    bodyDays: integer('body_days'),
    /** Days that rows are kept; null is for ever. */
    rowDays: integer('row_days'),
    /** How much of the facts gateways record. */
    facts: text('facts', { enum: ['full', 'masked', 'digest'] })
      .notNull()
      .default('full'),
    /** Paths that are masked; null is what says who somebody is. */
    mask: jsonb('mask').$type<string[]>(),
    revision: integer('revision').notNull(),
    createdMs: timeMs('created').notNull(),
  },
  (table) => [
    uniqueIndex('retention_of_environment').on(table.organisationId, table.environment),
    uniqueIndex('retention_of_node').on(table.nodeId),
    uniqueIndex('retention_of_key').on(table.keyId),
    check('retention_owner', sql`num_nonnulls(${table.environment}, ${table.nodeId}, ${table.keyId}) = 1`),
    check(
      'retention_facts',
      sql`${table.facts} in ('full', 'masked', 'digest') and (${table.mask} is null or ${table.facts} = 'masked')`,
    ),
    check('retention_days', sql`${table.bodyDays} >= 0 and ${table.rowDays} >= 1`),
  ],
)

/** How far the sweep has looked at segments again after a change of the rules; no row where it need not. */
export const retentionReview = pgTable('retention_review', {
  organisationId: organisationId()
    .primaryKey()
    .references(() => organisation.id),
  /** Counts up with each change, so that one that comes meanwhile starts anew. */
  revision: integer('revision').notNull(),
  /** Digest of the segment that was looked at last; empty before the first. */
  after: text('after').notNull(),
})

/**
 * Sums of calls, written with the rows and kept when those go. `target` and `key` name what they are of in `value`,
 * `metadata` the property in `name` and its value in `value`.
 */
export const recordRollup = pgTable(
  'record_rollup',
  {
    organisationId: organisationId().references(() => organisation.id),
    environment: text('environment').notNull(),
    /** Begin of five minutes for targets, of an hour for all else. */
    timeMs: timeMs('time').notNull(),
    kind: text('kind', { enum: ['target', 'key', 'metadata'] }).notNull(),
    nodeId: uuid('node_id').notNull(),
    name: text('name').notNull(),
    value: text('value').notNull(),
    calls: bigint('calls', { mode: 'number' }).notNull(),
    errors: bigint('errors', { mode: 'number' }).notNull(),
    denied: bigint('denied', { mode: 'number' }).notNull(),
    unpriced: bigint('unpriced', { mode: 'number' }).notNull(),
    inputTokens: bigint('input_tokens', { mode: 'number' }).notNull(),
    outputTokens: bigint('output_tokens', { mode: 'number' }).notNull(),
    costNanoUsd: bigint('cost_nano_usd', { mode: 'bigint' }).notNull(),
    /** Step of the logarithmic scale of durations → calls; of targets alone. */
    durations: jsonb('durations').$type<Record<string, number>>().notNull(),
  },
  (table) => [
    primaryKey({
      columns: [
        table.organisationId,
        table.kind,
        table.timeMs,
        table.environment,
        table.nodeId,
        table.name,
        table.value,
      ],
    }),
    index('record_rollup_metadata').on(table.organisationId, table.kind, table.name, table.timeMs),
    check('record_rollup_kind', sql`${table.kind} in ('target', 'key', 'metadata')`),
  ],
)
