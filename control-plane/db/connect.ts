import type { Logger } from '@signalbox/sdk/node'
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres'
import { Pool, type PoolClient } from 'pg'
import * as schema from './schema.ts'

export type Database = NodePgDatabase<typeof schema>
export type Transaction = Parameters<Parameters<Database['transaction']>[0]>[0]
/** What a store reads and writes with: the pool, or the transaction it takes part in. */
export type Queryable = Database | Transaction

export interface Connection {
  readonly db: Database
  readonly pool: Pool
  /** Waits for running queries, then closes every connection. */
  close(): Promise<void>
}

/** Limits of one program's use of Postgres. */
export const databaseLimits = {
  connectionsMax: 16,
  connectTimeoutMs: 5000,
  statementTimeoutMs: 30_000,
  lockTimeoutMs: 10_000,
  idleInTransactionTimeoutMs: 15_000,
} as const

/** Opens a pool. Nothing is connected until the first query. Inside a transaction use only the transaction. */
export function connectDatabase(url: string, log: Logger): Connection {
  const pool = new Pool({
    connectionString: url,
    max: databaseLimits.connectionsMax,
    connectionTimeoutMillis: databaseLimits.connectTimeoutMs,
    statement_timeout: databaseLimits.statementTimeoutMs,
    lock_timeout: databaseLimits.lockTimeoutMs,
    idle_in_transaction_session_timeout: databaseLimits.idleInTransactionTimeoutMs,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    application_name: 'signalbox-control-plane',
  })
  let closing = false
  // An idle connection that the server ends (restart, 57P01) is no failure: the next query opens a new one.
  pool.on('error', (error) => {
    if (!closing) log.warn({ err: { message: error.message } }, 'an idle database connection was lost')
  })
  // One that is lost between two queries of a transaction has nobody else who listens, and would end the program; the
  // transaction's next query fails and says so.
  pool.on('connect', (client) => {
    client.on('error', (error) => {
      if (!closing) log.warn({ err: { message: error.message } }, 'a database connection was lost')
    })
  })
  takeBackLost(pool)
  return {
    db: drizzle(pool, { schema }),
    pool,
    close() {
      closing = true
      return pool.end()
    },
  }
}

/**
 * Takes back connections that were lost while somebody had them: drizzle gives none back whose `begin` failed, so each
 * restart of the database under load would cost some of the pool, and a pool that misses one never closes.
 */
function takeBackLost(pool: Pool): void {
  const held = new Set<PoolClient>()
  pool.on('acquire', (client) => held.add(client))
  pool.on('release', (_error, client) => held.delete(client))
  pool.on('connect', (client) => {
    client.once('end', () => {
      if (!held.has(client)) return
      const { release } = client
      // Whoever has it learns of its end by the next query, and gives it back for nothing.
      client.release = () => {}
      release.call(client, true)
    })
  })
}
