import { sql } from 'drizzle-orm'
import {
  check,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'
import { anyRole, organisationId, role, timeMs } from '../columns.ts'
import { node, organisation } from './access.ts'

/** What keys of role `author` said of a version. Append-only. */
export const authorSignature = pgTable(
  'author_signature',
  {
    organisationId: organisationId().references(() => organisation.id),
    /** Of the version. */
    digest: text('digest').notNull(),
    keyId: text('key_id').notNull(),
    /** Ed25519 over the author's statement, base64url. */
    signature: text('signature').notNull(),
    by: text('by').notNull(),
    createdMs: timeMs('created').notNull(),
  },
  (table) => [primaryKey({ columns: [table.organisationId, table.digest, table.keyId] })],
)

/** CI jobs that may have a token for their own: who issues their identities, and what those must say. */
export const ciTrust = pgTable(
  'ci_trust',
  {
    id: uuid('id').primaryKey(),
    organisationId: organisationId().references(() => organisation.id),
    name: text('name').notNull(),
    issuer: text('issuer').notNull(),
    audience: text('audience').notNull(),
    /** Where the issuer's keys are; null where its discovery document says so. */
    jwksUrl: text('jwks_url'),
    /** Claim → the values it may have; `*` stands for any text. */
    claims: jsonb('claims').$type<Record<string, string[]>>().notNull(),
    role: role(),
    nodeId: uuid('node_id')
      .notNull()
      .references(() => node.id, { onDelete: 'cascade' }),
    lifetimeS: integer('lifetime_s').notNull(),
    createdMs: timeMs('created').notNull(),
    createdBy: text('created_by').notNull(),
  },
  (table) => [
    uniqueIndex('ci_trust_name').on(table.organisationId, table.name),
    index('ci_trust_issuer').on(table.issuer),
    check('ci_trust_role', sql`${table.role} in ${anyRole}`),
  ],
)

/** Identities of CI jobs that were exchanged already: each counts once. */
export const ciIdentity = pgTable(
  'ci_identity',
  {
    organisationId: organisationId().references(() => organisation.id),
    /** SHA-256 of the identity token, hex. */
    hash: text('hash').notNull(),
    expiresMs: timeMs('expires').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.organisationId, table.hash] }),
    index('ci_identity_expires').on(table.expiresMs),
  ],
)
