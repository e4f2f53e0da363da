import { sql } from 'drizzle-orm'
import { check, index, integer, pgTable, primaryKey, text, unique, uuid } from 'drizzle-orm/pg-core'
import { anyRole, organisationId, role, timeMs } from '../columns.ts'
import { apiKey, node } from './access.ts'

/** People who sign in to the console. */
export const consoleUser = pgTable(
  'console_user',
  {
    id: uuid('id').primaryKey(),
    organisationId: organisationId(),
    /** What they sign in with: lower case, unique. */
    name: text('name').notNull(),
    displayName: text('display_name').notNull(),
    source: text('source', { enum: ['local', 'oidc'] }).notNull(),
    /** Issuer and subject of the identity provider; null for a local account. */
    issuer: text('issuer'),
    subject: text('subject'),
    /** scrypt with its parameters; null where a person cannot sign in with a password. */
    passwordHash: text('password_hash'),
    revision: integer('revision').notNull(),
    createdMs: timeMs('created').notNull(),
    lastSignInMs: timeMs('last_sign_in'),
    disabledMs: timeMs('disabled'),
  },
  (table) => [
    unique('console_user_name').on(table.organisationId, table.name),
    unique('console_user_subject').on(table.organisationId, table.issuer, table.subject),
    check('console_user_source', sql`(${table.source} = 'oidc') = (${table.subject} is not null)`),
  ],
)

/** What a user may do where: a role on a node and all below it. */
export const userGrant = pgTable(
  'user_grant',
  {
    organisationId: organisationId(),
    userId: uuid('user_id')
      .notNull()
      .references(() => consoleUser.id, { onDelete: 'cascade' }),
    nodeId: uuid('node_id')
      .notNull()
      .references(() => node.id),
    role: role(),
  },
  (table) => [
    primaryKey({ columns: [table.userId, table.nodeId, table.role] }),
    index('user_grant_node').on(table.nodeId),
    check('user_grant_role', sql`${table.role} in ${anyRole}`),
  ],
)

/** Sessions of the console; the cookie holds the secret, this its hash. */
export const consoleSession = pgTable(
  'console_session',
  {
    id: uuid('id').primaryKey(),
    organisationId: organisationId(),
    userId: uuid('user_id')
      .notNull()
      .references(() => consoleUser.id, { onDelete: 'cascade' }),
    hash: text('hash').notNull().unique(),
    userAgent: text('user_agent').notNull(),
    address: text('address').notNull(),
    createdMs: timeMs('created').notNull(),
    lastUsedMs: timeMs('last_used').notNull(),
    /** However much it is used. */
    expiresMs: timeMs('expires').notNull(),
    endedMs: timeMs('ended'),
  },
  (table) => [index('console_session_user').on(table.userId, table.createdMs)],
)

/** A sign-in that waits for the identity provider. Deleted when it comes back, so that it comes back once. */
export const oidcSignIn = pgTable(
  'oidc_sign_in',
  {
    /** SHA-256 of the state. */
    stateHash: text('state_hash').primaryKey(),
    organisationId: organisationId(),
    /** Nonce and code verifier, encrypted. */
    secrets: text('secrets').notNull(),
    expiresMs: timeMs('expires').notNull(),
  },
  (table) => [index('oidc_sign_in_expires').on(table.expiresMs)],
)

/** Secrets that a key had before it was rotated. They work until they expire or are revoked. */
export const retiredKeySecret = pgTable(
  'retired_key_secret',
  {
    hash: text('hash').primaryKey(),
    organisationId: organisationId(),
    keyId: uuid('key_id')
      .notNull()
      .references(() => apiKey.id, { onDelete: 'cascade' }),
    environment: text('environment').notNull(),
    retiredMs: timeMs('retired').notNull(),
    expiresMs: timeMs('expires').notNull(),
    revokedMs: timeMs('revoked'),
  },
  (table) => [
    index('retired_key_secret_key').on(table.keyId),
    index('retired_key_secret_environment').on(table.organisationId, table.environment, table.expiresMs),
  ],
)
