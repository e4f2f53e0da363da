import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { migrateDatabase } from '../../control-plane/db/migrate.ts'
import { type RunningPostgres, startPostgres } from '../../control-plane/postgres/start.ts'

const template = 'signalbox_template'

interface Server {
  /** Makes a database without rows, or without tables, and gives its connection string. */
  createDatabase(kind: 'migrated' | 'empty'): Promise<string>
  dropDatabase(name: string): Promise<void>
  stop(): Promise<void>
}

function withDatabase(url: string, name: string): string {
  const changed = new URL(url)
  changed.pathname = `/${name}`
  return changed.href
}

/** PostgreSQL for a test run, on the binaries that `npm start` uses, with one migrated template. */
async function startServer(): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-test-'))
  const postgres: RunningPostgres = await startPostgres(folder, { durable: false })
  const admin = new Client({ connectionString: postgres.url })
  await admin.connect()
  await admin.query(`create database ${template}`)
  await migrateDatabase(withDatabase(postgres.url, template))
  let number = 0
  return {
    async createDatabase(kind) {
      const name = `test_${++number}_${randomBytes(3).toString('hex')}`
      const from = kind === 'migrated' ? template : 'template0'
      await admin.query(`create database ${name} template ${from} strategy file_copy`)
      return withDatabase(postgres.url, name)
    },
    async dropDatabase(name) {
      await admin.query(`drop database if exists ${name.replaceAll(/\W/g, '')} with (force)`)
    },
    async stop() {
      await admin.end()
      await postgres.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/**
 * Hands out databases to the processes of a test run: POST /migrated or /empty makes one, DELETE /name drops it. The server behind
 * it starts with the first request, so that runs without a database test do not pay for it.
 */
export async function startDatabaseDesk(): Promise<{ url: string; stop(): Promise<void> }> {
  let server: Promise<Server> | undefined
  const desk = createServer((request, response) => {
    server ??= startServer()
    server
      .then((ready) =>
        request.method === 'POST'
          ? ready.createDatabase(request.url === '/empty' ? 'empty' : 'migrated')
          : ready.dropDatabase((request.url ?? '/').slice(1)).then(() => ''),
      )
      .then(
        (text) => response.end(text),
        (error: Error) => {
          response.statusCode = 500
          response.end(error.message)
        },
      )
  })
  desk.listen(0, '127.0.0.1')
  await new Promise((resolve) => desk.once('listening', resolve))
  return {
    url: `http://127.0.0.1:${(desk.address() as AddressInfo).port}`,
    async stop() {
      desk.close()
      await (await server)?.stop()
    },
  }
}
