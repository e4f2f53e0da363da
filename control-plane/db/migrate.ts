import { fileURLToPath } from 'node:url'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import { drizzle } from 'drizzle-orm/node-postgres'
import { migrate } from 'drizzle-orm/node-postgres/migrator'
import { Client } from 'pg'

const migrationsFolder = fileURLToPath(new URL('./migrations', import.meta.url))
/** Names our advisory lock among all that use the database: the letters `sgbx`. */
const migrationLock = 0x73676278
const lockTimeoutMs = 60_000

/** Whether the newest migration is applied: then a role that owns nothing has nothing to do. */
async function isCurrent(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ there: boolean }>(
    "select to_regclass('drizzle.__drizzle_migrations') is not null as there",
  )
  if (rows[0]?.there !== true) return false
  const newest = readMigrationFiles({ migrationsFolder }).at(-1)
  const applied = await client.query<{ newest: string | null }>(
    'select max(created_at)::text as newest from drizzle.__drizzle_migrations',
  )
  return Number(applied.rows[0]?.newest ?? -1) >= (newest?.folderMillis ?? 0)
}

/**
 * Brings the database to this program's schema: what is missing is applied in one transaction, so that a failure
 * leaves the schema as it was. Programs that start together wait for each other.
 */
export async function migrateDatabase(url: string): Promise<void> {
  const client = new Client({ connectionString: url, application_name: 'signalbox-migrate' })
  await client.connect()
  try {
    await client.query(`set lock_timeout = ${lockTimeoutMs}`)
    await client.query(`set client_min_messages = warning`)
    await client.query('select pg_advisory_lock($1)', [migrationLock])
    if (!(await isCurrent(client))) await migrate(drizzle(client), { migrationsFolder })
  } finally {
    // Closing the session frees the lock as well.
    await client.end()
  }
}
