import type { FreezeView, KeyScopes } from '@signalbox/sdk/contract'
import { sql } from 'drizzle-orm'
import {
  type AnyPgColumn,
  bigint,
  check,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'
import { anyRole, organisationId, role, timeMs } from '../columns.ts'

/** The tenant. A local start has one, named `default`. */
export const organisation = pgTable('organisation', {
  id: uuid('id').primaryKey(),
  name: text('name').notNull().unique(),
  createdMs: timeMs('created').notNull(),
})

export const environment = pgTable(
  'environment',
  {
    organisationId: organisationId().references(() => organisation.id),
    name: text('name').notNull(),
    createdMs: timeMs('created').notNull(),
    /** Gateways refuse calls when their state is older; 0 is never. */
    stateAgeMsMax: bigint('state_age_ms_max', { mode: 'number' }).notNull(),
    /** Why nothing may be deployed here now. */
    freezeReason: text('freeze_reason'),
    /** What the freeze is of; null where there is none, or one from before, of deployments alone. */
    freeze: jsonb('freeze').$type<Omit<FreezeView, 'reason'> | null>(),
  },
  (table) => [
    primaryKey({ columns: [table.organisationId, table.name] }),
    check('environment_state_age', sql`${table.stateAgeMsMax} >= 0`),
  ],
)

/** The tree: organisation → teams (any depth) → projects. Keys hang on nodes. */
export const node = pgTable(
  'node',
  {
    id: uuid('id').primaryKey(),
    organisationId: organisationId().references(() => organisation.id),
    parentId: uuid('parent_id').references((): AnyPgColumn => node.id),
    kind: text('kind', { enum: ['organisation', 'team', 'project'] }).notNull(),
    name: text('name').notNull(),
    /** Names below the root, joined by `/`; empty for the root. */
    path: text('path').notNull(),
    managedBy: text('managed_by', { enum: ['api', 'workspace'] }).notNull(),
    revision: integer('revision').notNull().default(1),
    createdMs: timeMs('created').notNull(),
  },
  (table) => [
    unique('node_path').on(table.organisationId, table.path),
    index('node_parent').on(table.parentId),
    check('node_kind', sql`${table.kind} in ('organisation', 'team', 'project')`),
    check('node_root', sql`(${table.kind} = 'organisation') = (${table.parentId} is null)`),
    check('node_managed_by', sql`${table.managedBy} in ('api', 'workspace')`),
  ],
)

export const apiKey = pgTable(
  'api_key',
  {
    id: uuid('id').primaryKey(),
    organisationId: organisationId().references(() => organisation.id),
    nodeId: uuid('node_id')
      .notNull()
      .references(() => node.id),
    environment: text('environment').notNull(),
    /** Label. */
    name: text('name').notNull(),
    /** SHA-256 of the whole key, hex. */
    hash: text('hash').notNull().unique(),
    /** First characters of the key, to recognise it. */
    start: text('start').notNull(),
    scopes: jsonb('scopes').$type<KeyScopes>().notNull().default({}),
    revision: integer('revision').notNull().default(1),
    createdMs: timeMs('created').notNull(),
    expiresMs: timeMs('expires'),
    revokedMs: timeMs('revoked'),
    rotatedMs: timeMs('rotated'),
    /** Known from records; nothing on a call's way writes it. */
    lastUsedMs: timeMs('last_used'),
  },
  (table) => [
    // A label is free again once its key is revoked: that is how a key is rotated under one name.
    uniqueIndex('api_key_name').on(table.nodeId, table.name).where(sql`${table.revokedMs} is null`),
    index('api_key_environment').on(table.organisationId, table.environment),
    index('api_key_start').on(table.organisationId, table.start.op('text_pattern_ops')),
    index('api_key_created').on(table.organisationId, table.createdMs, table.id),
  ],
)

/** A CI job, as the issuer of its identity says. */
export interface CiJob {
  issuer: string
  subject: string
  run?: string
  commit?: string
  repository?: string
}

/** Tokens of people, CI jobs and the root. */
export const token = pgTable(
  'token',
  {
    id: uuid('id').primaryKey(),
    organisationId: organisationId().references(() => organisation.id),
    name: text('name').notNull(),
    role: role(),
    /** The role holds here and below. */
    nodeId: uuid('node_id')
      .notNull()
      .references(() => node.id),
    kind: text('kind', { enum: ['token', 'root'] }).notNull(),
    hash: text('hash').notNull().unique(),
    createdMs: timeMs('created').notNull(),
    expiresMs: timeMs('expires'),
    lastUsedMs: timeMs('last_used'),
    revokedMs: timeMs('revoked'),
    /** What the identity of the CI job said that it was exchanged for; null for all others. */
    ci: jsonb('ci').$type<CiJob>(),
  },
  (table) => [
    index('token_organisation').on(table.organisationId),
    index('token_node').on(table.nodeId),
    check('token_role', sql`${table.role} in ${anyRole}`),
    check('token_kind', sql`${table.kind} in ('token', 'root')`),
  ],
)

/** Secrets that `secret:NAME` means in an environment. */
export const connectionSecret = pgTable(
  'connection_secret',
  {
    organisationId: organisationId().references(() => organisation.id),
    environment: text('environment').notNull(),
    /** NAME of `secret:NAME`. */
    name: text('name').notNull(),
    /** Encrypted by `secret-box.ts`; bound to this row. */
    value: text('value').notNull(),
    updatedMs: timeMs('updated').notNull(),
    updatedBy: text('updated_by').notNull(),
  },
  (table) => [primaryKey({ columns: [table.organisationId, table.environment, table.name] })],
)

/** Administrative changes, one chain per organisation: each hash covers the row and the hash before it. */
export const audit = pgTable(
  'audit',
  {
    organisationId: organisationId().references(() => organisation.id),
    sequence: bigint('sequence', { mode: 'number' }).notNull(),
    timeMs: timeMs('time').notNull(),
    actor: text('actor').notNull(),
    action: text('action').notNull(),
    object: text('object').notNull(),
    detail: jsonb('detail').$type<Record<string, unknown>>().notNull(),
    previousHash: text('previous_hash').notNull(),
    hash: text('hash').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.organisationId, table.sequence] }),
    check('audit_sequence', sql`${table.sequence} >= 1`),
  ],
)

/** Hot values of params, by environment and workspace. */
export const paramValue = pgTable(
  'param_value',
  {
    organisationId: organisationId().references(() => organisation.id),
    environment: text('environment').notNull(),
    workspace: text('workspace').notNull(),
    name: text('name').notNull(),
    value: jsonb('value').$type<string | number | boolean | string[]>().notNull(),
    updatedMs: timeMs('updated').notNull(),
    updatedBy: text('updated_by').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.organisationId, table.environment, table.workspace, table.name] }),
  ],
)

/** Every value a param ever had, so that a decision of last week can be replayed. Append-only. */
export const paramChange = pgTable(
  'param_change',
  {
    organisationId: organisationId().references(() => organisation.id),
    environment: text('environment').notNull(),
    workspace: text('workspace').notNull(),
    name: text('name').notNull(),
    stateSequence: bigint('state_sequence', { mode: 'number' }).notNull(),
    /** Null where the param went back to its declared default. */
    value: jsonb('value').$type<string | number | boolean | string[] | null>(),
    changedMs: timeMs('changed').notNull(),
    changedBy: text('changed_by').notNull(),
  },
  (table) => [
    primaryKey({
      columns: [table.organisationId, table.environment, table.workspace, table.name, table.stateSequence],
    }),
  ],
)
