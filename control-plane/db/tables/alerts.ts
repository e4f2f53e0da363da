import { index, integer, pgTable, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { organisationId, timeMs } from '../columns.ts'
import { organisation } from './access.ts'
import { budgetAlert } from './ledger.ts'

/** Where alerts are sent. Its secret signs them. */
export const webhook = pgTable(
  'webhook',
  {
    id: uuid('id').primaryKey(),
    organisationId: organisationId().references(() => organisation.id),
    url: text('url').notNull(),
    /** Encrypted by `SecretBox`. */
    secret: text('secret').notNull(),
    createdMs: timeMs('created').notNull(),
    createdBy: text('created_by').notNull(),
  },
  (table) => [uniqueIndex('webhook_url').on(table.organisationId, table.url)],
)

/** An alert on its way to a webhook: tried until it is taken, or given up. */
export const alertDelivery = pgTable(
  'alert_delivery',
  {
    organisationId: organisationId(),
    alertId: uuid('alert_id')
      .notNull()
      .references(() => budgetAlert.id),
    webhookId: uuid('webhook_id')
      .notNull()
      .references(() => webhook.id, { onDelete: 'cascade' }),
    attempts: integer('attempts').notNull().default(0),
    /** When it is tried next; null once it is delivered or given up. */
    nextMs: timeMs('next'),
    deliveredMs: timeMs('delivered'),
    /** Why the last try failed: a status, or a short reason. */
    error: text('error'),
  },
  (table) => [
    primaryKey({ columns: [table.alertId, table.webhookId] }),
    index('alert_delivery_next').on(table.nextMs),
  ],
)
