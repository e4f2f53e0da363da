import { afterAll, inject } from 'vitest'

declare module 'vitest' {
  interface ProvidedContext {
    /** Where databases are handed out; see `database-server.ts`. */
    databaseDesk: string
  }
}

async function ask(method: 'POST' | 'DELETE', path: string): Promise<string> {
  const response = await fetch(`${inject('databaseDesk')}${path}`, { method })
  const text = await response.text()
  if (!response.ok) throw new Error(`no test database: ${text}`)
  return text
}

async function create(kind: 'migrated' | 'empty'): Promise<string> {
  return ask('POST', `/${kind}`)
}

/**
 * A migrated, empty database of this test file's own. Call it at the top of the file (it awaits); the database is
 * dropped when the file ends, whatever still holds it open.
 * @returns Its connection string.
 */
export async function createTestDatabase(): Promise<string> {
  const url = await create('migrated')
  afterAll(async () => {
    await ask('DELETE', new URL(url).pathname)
  })
  return url
}

/** A database without any table, for tests of migrations. It goes with the server at the end of the run. */
export async function createEmptyDatabase(): Promise<string> {
  return create('empty')
}
