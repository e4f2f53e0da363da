import { integer, jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { organisationId, timeMs } from '../columns.ts'

/** The last nightly replay of recorded calls in an environment. One row each; a night's run takes it over. */
export const selfCheck = pgTable(
  'self_check',
  {
    organisationId: organisationId(),
    environment: text('environment').notNull(),
    startedMs: timeMs('started').notNull(),
    /** Null while it runs, and where it did not come to its end. */
    endedMs: timeMs('ended'),
    records: integer('records').notNull().default(0),
    undecided: integer('undecided').notNull().default(0),
    same: integer('same').notNull().default(0),
    different: integer('different').notNull().default(0),
    otherSelections: integer('other_selections').notNull().default(0),
    /** Ids of the first records that came out different. */
    examples: jsonb('examples').$type<string[]>().notNull().default([]),
    /** Why it did not come to its end. */
    failure: text('failure'),
  },
  (table) => [primaryKey({ columns: [table.organisationId, table.environment] })],
)
