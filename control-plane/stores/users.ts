import { and, asc, eq, sql } from 'drizzle-orm'
import type { Queryable } from '../db/connect.ts'
import { consoleUser, node, userGrant } from '../db/schema.ts'
import type { Grant } from '../identity/grants.ts'

export type UserRow = typeof consoleUser.$inferSelect
export interface UserWithGrants extends UserRow {
  readonly grants: readonly Grant[]
}

/** Grants by user: of one, or of all users of the organisation. */
async function loadGrants(
  db: Queryable,
  organisationId: string,
  userId?: string,
): Promise<Map<string, Grant[]>> {
  const rows = await db
    .select({ userId: userGrant.userId, role: userGrant.role, nodeId: node.id, path: node.path })
    .from(userGrant)
    .innerJoin(node, eq(node.id, userGrant.nodeId))
    .where(
      and(
        eq(userGrant.organisationId, organisationId),
        userId === undefined ? undefined : eq(userGrant.userId, userId),
      ),
    )
    .orderBy(asc(node.path), asc(userGrant.role))
  const byUser = new Map<string, Grant[]>()
  for (const { userId: of, ...grant } of rows) byUser.set(of, [...(byUser.get(of) ?? []), grant])
  return byUser
}

async function withGrants(db: Queryable, row: UserRow | undefined): Promise<UserWithGrants | undefined> {
  if (row === undefined) return undefined
  const grants = await loadGrants(db, row.organisationId, row.id)
  return { ...row, grants: grants.get(row.id) ?? [] }
}

/** Users by name, with what they may do. */
export async function listUsers(db: Queryable, organisationId: string): Promise<UserWithGrants[]> {
  const rows = await db
    .select()
    .from(consoleUser)
    .where(eq(consoleUser.organisationId, organisationId))
    .orderBy(asc(consoleUser.name))
  const grants = await loadGrants(db, organisationId)
  return rows.map((row) => ({ ...row, grants: grants.get(row.id) ?? [] }))
}

/** Whether anybody could sign in with a password. */
export async function hasPasswords(db: Queryable, organisationId: string): Promise<boolean> {
  const usable = sql`${consoleUser.passwordHash} is not null and ${consoleUser.disabledMs} is null`
  const rows = await db
    .select({ id: consoleUser.id })
    .from(consoleUser)
    .where(and(eq(consoleUser.organisationId, organisationId), usable))
    .limit(1)
  return rows.length > 0
}

/** The user of this name, id, or subject at an issuer. */
export async function findUser(
  db: Queryable,
  organisationId: string,
  by:
    | { readonly id: string }
    | { readonly name: string }
    | { readonly issuer: string; readonly subject: string },
): Promise<UserWithGrants | undefined> {
  const members = Object.entries(by).map(([member, value]) =>
    eq(consoleUser[member as 'id' | 'name' | 'issuer' | 'subject'], value),
  )
  const [row] = await db
    .select()
    .from(consoleUser)
    .where(and(eq(consoleUser.organisationId, organisationId), ...members))
  return await withGrants(db, row)
}

/** Locks the user's row for the transaction. */
export async function lockUser(
  db: Queryable,
  organisationId: string,
  id: string,
): Promise<UserWithGrants | undefined> {
  const [row] = await db
    .select()
    .from(consoleUser)
    .where(and(eq(consoleUser.organisationId, organisationId), eq(consoleUser.id, id)))
    .for('update')
  return await withGrants(db, row)
}

/** Fails with a unique violation of `console_user_name` where the name is taken. */
export async function insertUser(db: Queryable, row: UserRow): Promise<void> {
  await db.insert(consoleUser).values(row)
}

export async function storeUser(
  db: Queryable,
  id: string,
  fields: Partial<Pick<UserRow, 'displayName' | 'passwordHash' | 'revision' | 'lastSignInMs' | 'disabledMs'>>,
): Promise<void> {
  await db.update(consoleUser).set(fields).where(eq(consoleUser.id, id))
}

/** Puts these grants in place of those that the user has. */
export async function storeGrants(
  db: Queryable,
  user: { readonly organisationId: string; readonly id: string },
  grants: readonly Grant[],
): Promise<void> {
  await db.delete(userGrant).where(eq(userGrant.userId, user.id))
  if (grants.length === 0) return
  const { organisationId, id } = user
  await db
    .insert(userGrant)
    .values(grants.map(({ nodeId, role }) => ({ organisationId, userId: id, nodeId, role })))
    .onConflictDoNothing()
}
