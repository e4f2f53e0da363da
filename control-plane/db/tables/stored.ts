import { index, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { organisationId, timeMs } from '../columns.ts'
import { node, organisation } from './access.ts'

/** Whose what providers keep is: files, batches, answers, cached contents. Of each only the hash of its id is known. */
export const storedThing = pgTable(
  'stored_thing',
  {
    organisationId: organisationId().references(() => organisation.id),
    environment: text('environment').notNull(),
    /** SHA-256 of the provider's id, base64url. */
    key: text('key').notNull(),
    nodeId: uuid('node_id')
      .notNull()
      .references(() => node.id, { onDelete: 'cascade' }),
    connection: text('connection').notNull(),
    /** When the provider has forgotten it by itself; null where it does not. */
    expiresMs: timeMs('expires'),
  },
  (table) => [
    primaryKey({ columns: [table.organisationId, table.environment, table.key] }),
    index('stored_thing_node').on(table.nodeId),
    index('stored_thing_expires').on(table.expiresMs),
  ],
)
