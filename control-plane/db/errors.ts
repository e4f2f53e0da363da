import { DrizzleQueryError } from 'drizzle-orm'
import { DatabaseError } from 'pg'

/** The Postgres error under whatever wraps it, if there is one. */
export function databaseErrorOf(error: unknown): DatabaseError | undefined {
  for (let each = error, depth = 0; each instanceof Error && depth < 5; each = each.cause, depth++) {
    if (each instanceof DatabaseError) return each
  }
  return undefined
}

/** Whether a write failed because a unique rule of this name (or any) was broken. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  const found = databaseErrorOf(error)
  return found?.code === '23505' && (constraint === undefined || found.constraint === constraint)
}

/** The table whose rows still name what was to be deleted, where that is why it failed. */
export function referringTable(error: unknown): string | undefined {
  const found = databaseErrorOf(error)
  return found?.code === '23503' ? found.table : undefined
}

/** Whether a text was compared with an id and is no UUID: it names nothing. */
export function isMalformedId(error: unknown): boolean {
  const found = databaseErrorOf(error)
  return found?.code === '22P02' && found.routine === 'string_to_uuid'
}

const connectionCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EHOSTUNREACH',
])
/** What `pg` says, without a code, of a connection that is gone: at once, and to whoever asks it again. */
const lostConnection =
  /connection terminated|timeout exceeded when trying to connect|and is not queryable|calling end on the pool/i
/**
 * Admin shutdown, crash shutdown, cannot connect now, statement and lock time-outs, deadlock, serialisation, and a
 * server that only reads for now.
 */
const unavailableStates = new Set(['57P01', '57P02', '57P03', '57014', '55P03', '40P01', '40001', '25006'])
/** Connection exceptions, and a server that lacks connections, memory or disk. */
const unavailableClasses = ['08', '53']

/** Whether the database could not be asked, as opposed to having answered. The same request may succeed later. */
export function isDatabaseUnavailable(error: unknown): boolean {
  const state = databaseErrorOf(error)?.code
  if (state !== undefined) {
    return unavailableStates.has(state) || unavailableClasses.some((each) => state.startsWith(each))
  }
  for (let each = error, depth = 0; each instanceof Error && depth < 5; each = each.cause, depth++) {
    if ('code' in each && typeof each.code === 'string' && connectionCodes.has(each.code)) return true
    if (lostConnection.test(each.message)) return true
  }
  return false
}

/**
 * A failure as it may stand in a log: what went wrong and where, without the values of a statement's parameters, which
 * drizzle puts into its message.
 */
export function describeFailure(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: String(error) }
  const { code, constraint, table } = databaseErrorOf(error) ?? {}
  const shown = error instanceof DrizzleQueryError && error.cause !== undefined ? error.cause : error
  const statement = error instanceof DrizzleQueryError ? { statement: error.query } : {}
  const database = code === undefined ? {} : { sqlState: code, constraint, table }
  const trace = error.stack?.split('\n').filter((line) => /^\s+at /.test(line))
  return { message: shown.message, ...database, ...statement, trace: trace?.join('\n') }
}
