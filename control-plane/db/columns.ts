import { roles } from '@signalbox/sdk/contract'
import { sql } from 'drizzle-orm'
import { customType, text, uuid } from 'drizzle-orm/pg-core'

/** Milliseconds since 1970 in code, `timestamptz` in the database. */
export const timeMs = customType<{ data: number; driverData: string }>({
  dataType: () => 'timestamp (3) with time zone',
  toDriver: (ms) => new Date(ms).toISOString(),
  fromDriver: (text) => new Date(text).getTime(),
})

/** Raw bytes. */
export const bytea = customType<{ data: Uint8Array; driverData: Buffer }>({
  dataType: () => 'bytea',
  toDriver: (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  fromDriver: (bytes) => bytes,
})

/** The tenant. Stands on every row from the first migration. */
export const organisationId = () => uuid('organisation_id').notNull()

/** The database's clock, for rows whose time nobody hands in. */
export const now = sql`now()`

/** What somebody may do on a node and all below it. */
export const role = () => text('role', { enum: roles }).notNull()
/** For checks: `role in` this. */
export const anyRole = sql.raw(`(${roles.map((each) => `'${each}'`).join(', ')})`)
