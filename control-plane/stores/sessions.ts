import { and, desc, eq, gt, isNull, lt, ne } from 'drizzle-orm'
import type { Queryable } from '../db/connect.ts'
import { consoleSession, consoleUser, oidcSignIn } from '../db/schema.ts'

export type SessionRow = typeof consoleSession.$inferSelect

/** The session of this hash, ended or not, and whether its user may still sign in. */
export async function findSession(
  db: Queryable,
  hash: string,
): Promise<(SessionRow & { readonly disabledMs: number | null }) | undefined> {
  const [row] = await db
    .select({ session: consoleSession, disabledMs: consoleUser.disabledMs })
    .from(consoleSession)
    .innerJoin(consoleUser, eq(consoleUser.id, consoleSession.userId))
    .where(eq(consoleSession.hash, hash))
  return row === undefined ? undefined : { ...row.session, disabledMs: row.disabledMs }
}

/** A user's sessions that have not ended, newest first. */
export async function listSessions(
  db: Queryable,
  userId: string,
  alive: { readonly nowMs: number; readonly idleMsMax: number },
): Promise<SessionRow[]> {
  return await db
    .select()
    .from(consoleSession)
    .where(
      and(
        eq(consoleSession.userId, userId),
        isNull(consoleSession.endedMs),
        gt(consoleSession.expiresMs, alive.nowMs),
        gt(consoleSession.lastUsedMs, alive.nowMs - alive.idleMsMax),
      ),
    )
    .orderBy(desc(consoleSession.createdMs))
}

/** Those that ended before `forgetBeforeMs` are forgotten on the way. */
export async function insertSession(db: Queryable, row: SessionRow, forgetBeforeMs: number): Promise<void> {
  await db
    .delete(consoleSession)
    .where(and(eq(consoleSession.userId, row.userId), lt(consoleSession.expiresMs, forgetBeforeMs)))
  await db.insert(consoleSession).values(row)
}

export async function touchSession(db: Queryable, id: string, nowMs: number): Promise<void> {
  await db.update(consoleSession).set({ lastUsedMs: nowMs }).where(eq(consoleSession.id, id))
}

/** Ends a user's sessions: all, one, or all but one. Gives how many there were. */
export async function endSessions(
  db: Queryable,
  userId: string,
  which: { readonly nowMs: number; readonly only?: string; readonly but?: string | undefined },
): Promise<number> {
  const ended = await db
    .update(consoleSession)
    .set({ endedMs: which.nowMs })
    .where(
      and(
        eq(consoleSession.userId, userId),
        isNull(consoleSession.endedMs),
        which.only === undefined ? undefined : eq(consoleSession.id, which.only),
        which.but === undefined ? undefined : ne(consoleSession.id, which.but),
      ),
    )
    .returning({ id: consoleSession.id })
  return ended.length
}

/** Keeps what a sign-in needs when it comes back from the identity provider; forgets those that never came. */
export async function insertOidcSignIn(
  db: Queryable,
  row: typeof oidcSignIn.$inferSelect,
  nowMs: number,
): Promise<void> {
  await db.delete(oidcSignIn).where(lt(oidcSignIn.expiresMs, nowMs))
  await db.insert(oidcSignIn).values(row)
}

/** Gives what was kept, once. */
export async function takeOidcSignIn(
  db: Queryable,
  stateHash: string,
): Promise<typeof oidcSignIn.$inferSelect | undefined> {
  const [row] = await db.delete(oidcSignIn).where(eq(oidcSignIn.stateHash, stateHash)).returning()
  return row
}
