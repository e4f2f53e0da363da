import type { DrillFault, GoldenPrompt, ScoreCard } from '@signalbox/sdk/contract'
import { bigint, index, integer, jsonb, pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { organisationId, timeMs } from '../columns.ts'
import { organisation } from './access.ts'

/** A route that is drilled now and then, and how it stands. */
export const drillSchedule = pgTable(
  'drill_schedule',
  {
    id: uuid('id').primaryKey(),
    organisationId: organisationId().references(() => organisation.id),
    environment: text('environment').notNull(),
    model: text('model').notNull(),
    everyMs: bigint('every_ms', { mode: 'number' }).notNull(),
    targets: integer('targets').notNull(),
    faults: jsonb('faults').$type<DrillFault[]>().notNull(),
    golden: jsonb('golden').$type<GoldenPrompt[]>().notNull(),
    costNanoUsdMax: bigint('cost_nano_usd_max', { mode: 'bigint' }).notNull(),
    unprovenMs: bigint('unproven_ms', { mode: 'number' }).notNull(),
    /** Of a gateway. Encrypted by `SecretBox`. Null: declared, and nobody has given one yet. */
    key: text('key'),
    /** Whose `signalbox.yaml` declares it; null where it was made by the operation. */
    workspace: text('workspace'),
    createdMs: timeMs('created').notNull(),
    createdBy: text('created_by').notNull(),
    nextMs: timeMs('next').notNull(),
    /** When it was found to be unproven for too long; null while it is not. */
    alertedMs: timeMs('alerted'),
    /** Webhooks that took the alert. */
    toldTo: jsonb('told_to').$type<string[]>().notNull().default([]),
  },
  (table) => [
    uniqueIndex('drill_schedule_route').on(table.organisationId, table.environment, table.model),
    index('drill_schedule_next').on(table.nextMs),
  ],
)

/** What drills of a route came to, once. */
export const drillRun = pgTable(
  'drill_run',
  {
    id: uuid('id').primaryKey(),
    organisationId: organisationId().references(() => organisation.id),
    environment: text('environment').notNull(),
    model: text('model').notNull(),
    timeMs: timeMs('time').notNull(),
    source: text('source', { enum: ['schedule', 'report'] }).notNull(),
    held: integer('held').notNull(),
    count: integer('count').notNull(),
    costNanoUsd: bigint('cost_nano_usd', { mode: 'bigint' }).notNull(),
    /** Null where it could not be made. */
    card: jsonb('card').$type<ScoreCard>(),
    error: text('error'),
  },
  (table) => [
    index('drill_run_route').on(table.organisationId, table.environment, table.model, table.timeMs),
  ],
)
