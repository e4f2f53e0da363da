import type { GatewayReport } from '@signalbox/sdk/contract'
import { sql } from 'drizzle-orm'
import { bigint, check, index, integer, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { bytea, organisationId, timeMs } from '../columns.ts'
import { organisation } from './access.ts'

/** Content by its digest: sources and artefacts of versions, catalogue, tree, key shards. Immutable. */
export const blob = pgTable(
  'blob',
  {
    organisationId: organisationId().references(() => organisation.id),
    digest: text('digest').notNull(),
    bytes: bytea('bytes').notNull(),
    createdMs: timeMs('created').notNull(),
  },
  (table) => [primaryKey({ columns: [table.organisationId, table.digest] })],
)

/** Ed25519 keys of the organisation, by role of the root document. */
export const signingKey = pgTable(
  'signing_key',
  {
    organisationId: organisationId().references(() => organisation.id),
    keyId: text('key_id').notNull(),
    role: text('role', { enum: ['root', 'release', 'author'] }).notNull(),
    /** Raw, base64url. */
    publicKey: text('public_key').notNull(),
    /** PKCS #8, base64url, encrypted by `secret-box.ts`. */
    privateKey: text('private_key').notNull(),
    createdMs: timeMs('created').notNull(),
    retiredMs: timeMs('retired'),
  },
  (table) => [
    primaryKey({ columns: [table.organisationId, table.keyId] }),
    check('signing_key_role', sql`${table.role} in ('root', 'release', 'author')`),
  ],
)

/** Who may sign what. Holds for all environments. Append-only. */
export const rootDocument = pgTable(
  'root_document',
  {
    organisationId: organisationId().references(() => organisation.id),
    sequence: bigint('sequence', { mode: 'number' }).notNull(),
    /** JSON of the envelope, as gateways get it. */
    envelope: text('envelope').notNull(),
    digest: text('digest').notNull(),
    createdMs: timeMs('created').notNull(),
  },
  (table) => [primaryKey({ columns: [table.organisationId, table.sequence] })],
)

/** Signed releases and states. Append-only. */
export const document = pgTable(
  'document',
  {
    organisationId: organisationId().references(() => organisation.id),
    environment: text('environment').notNull(),
    kind: text('kind', { enum: ['release', 'state'] }).notNull(),
    sequence: bigint('sequence', { mode: 'number' }).notNull(),
    /** JSON of the envelope, as gateways get it. */
    envelope: text('envelope').notNull(),
    /** Over the payload. */
    digest: text('digest').notNull(),
    /** Over what the document says without its head: the same content needs no new document. */
    contentDigest: text('content_digest').notNull(),
    createdMs: timeMs('created').notNull(),
    expiresMs: timeMs('expires').notNull(),
    rollbackOf: bigint('rollback_of', { mode: 'number' }),
    /** Sequence of the root document that its signers stood in; null where it was signed before that was noted. */
    rootSequence: bigint('root_sequence', { mode: 'number' }),
  },
  (table) => [
    primaryKey({ columns: [table.organisationId, table.environment, table.kind, table.sequence] }),
    check('document_kind', sql`${table.kind} in ('release', 'state')`),
  ],
)

/**
 * The shards of the newest `state`, per environment. The fingerprint is over the rows of the shard as the database
 * computes it; where it still agrees, the shard is neither read nor written again.
 */
export const keyShard = pgTable(
  'key_shard',
  {
    organisationId: organisationId().references(() => organisation.id),
    environment: text('environment').notNull(),
    /** First hex digits of the key hash; empty where one shard holds all keys. */
    prefix: text('prefix').notNull(),
    digest: text('digest').notNull(),
    keys: integer('keys').notNull(),
    fingerprint: text('fingerprint').notNull(),
  },
  (table) => [primaryKey({ columns: [table.organisationId, table.environment, table.prefix] })],
)

/** Gateways: a program enrolled for one environment. */
export const gateway = pgTable(
  'gateway',
  {
    id: uuid('id').primaryKey(),
    organisationId: organisationId().references(() => organisation.id),
    environment: text('environment').notNull(),
    name: text('name').notNull(),
    tokenHash: text('token_hash').notNull().unique(),
    /** X25519, raw, base64url: what secrets are sealed to. */
    publicKey: text('public_key'),
    /** New at each start of the gateway. */
    incarnation: uuid('incarnation'),
    /** Where callers reach it. */
    url: text('url'),
    software: text('software'),
    /** Digest of its policy engine. */
    engine: text('engine'),
    /** What its present run last said of itself. */
    report: jsonb('report').$type<GatewayReport>(),
    createdMs: timeMs('created').notNull(),
    lastSeenMs: timeMs('last_seen'),
    /** Set ahead while an event stream or a long poll is open; the gateway is connected while it is in the future. */
    connectedUntilMs: timeMs('connected_until'),
    revokedMs: timeMs('revoked'),
  },
  (table) => [index('gateway_environment').on(table.organisationId, table.environment)],
)

/** What a gateway runs and what it last rejected, per kind of document. */
export const gatewayDocument = pgTable(
  'gateway_document',
  {
    organisationId: organisationId().references(() => organisation.id),
    gatewayId: uuid('gateway_id')
      .notNull()
      .references(() => gateway.id),
    kind: text('kind', { enum: ['root', 'release', 'state', 'credentials'] }).notNull(),
    incarnation: uuid('incarnation').notNull(),
    activeSequence: bigint('active_sequence', { mode: 'number' }),
    rejectedSequence: bigint('rejected_sequence', { mode: 'number' }),
    rejectedError: text('rejected_error'),
    /** Connection → what the gateway can do with it. */
    connections: jsonb('connections').$type<Record<string, 'available' | 'simulated' | 'unavailable'>>(),
    updatedMs: timeMs('updated').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.gatewayId, table.kind] }),
    check('gateway_document_kind', sql`${table.kind} in ('root', 'release', 'state', 'credentials')`),
  ],
)

/** The newest secrets of one gateway, sealed to its key. */
export const gatewayCredentials = pgTable('gateway_credentials', {
  organisationId: organisationId().references(() => organisation.id),
  gatewayId: uuid('gateway_id')
    .primaryKey()
    .references(() => gateway.id),
  environment: text('environment').notNull(),
  sequence: bigint('sequence', { mode: 'number' }).notNull(),
  /** The public key it is sealed to; another key needs a new document. */
  recipient: text('recipient').notNull(),
  /** JSON of the credential document. */
  body: text('body').notNull(),
  secrets: integer('secrets').notNull(),
  /** Over the secrets as they are stored, encrypted: the same secrets need no new document. */
  contentDigest: text('content_digest').notNull(),
  createdMs: timeMs('created').notNull(),
})
