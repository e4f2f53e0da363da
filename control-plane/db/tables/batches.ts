import type { BatchJob, BatchOutcome } from '@signalbox/sdk/contract'
import { sql } from 'drizzle-orm'
import { index, integer, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { organisationId, timeMs } from '../columns.ts'
import { organisation } from './access.ts'

/** Batches that providers work on, until every line of their results is metered. */
export const batchJob = pgTable(
  'batch_job',
  {
    id: uuid('id').primaryKey(),
    organisationId: organisationId().references(() => organisation.id),
    environment: text('environment').notNull(),
    /** The gateway that made it: its leases are in this one's name. */
    gatewayId: uuid('gateway_id').notNull(),
    /** The provider's; null until it has taken the batch. */
    providerId: text('provider_id'),
    job: jsonb('job').$type<BatchJob>().notNull(),
    /** What it keeps, and in which unit. */
    leases: jsonb('leases').$type<{ leaseId: string; unit: 'usd' | 'tokens' }[]>().notNull(),
    state: text('state', { enum: ['opening', 'running', 'ended'] }).notNull(),
    outcome: text('outcome').$type<BatchOutcome>(),
    /** Lines with a result. */
    metered: integer('metered').notNull().default(0),
    createdMs: timeMs('created').notNull(),
    /** When somebody looks at it again. */
    nextMs: timeMs('next').notNull(),
    /** The run of a gateway that looks after it, and until when nobody else may. */
    holder: uuid('holder'),
    heldUntilMs: timeMs('held_until'),
    endedMs: timeMs('ended'),
  },
  (table) => [
    index('batch_job_next')
      .on(table.organisationId, table.environment, table.nextMs)
      .where(sql`${table.state} = 'running'`),
    index('batch_job_provider').on(table.organisationId, table.environment, table.providerId),
  ],
)
