import type {
  Candidate,
  CompiledWorkspace,
  Deployment,
  Evidence,
  Problem,
  VersionManifest,
} from '@signalbox/sdk/contract'
import { sql } from 'drizzle-orm'
import {
  bigint,
  check,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  unique,
  uuid,
} from 'drizzle-orm/pg-core'
import { organisationId, timeMs } from '../columns.ts'
import { organisation } from './access.ts'

/** An immutable compile of a workspace, named by digest and by number. */
export const version = pgTable(
  'version',
  {
    organisationId: organisationId().references(() => organisation.id),
    digest: text('digest').notNull(),
    /** `v12` is 12; counts up per organisation. */
    number: integer('number').notNull(),
    workspace: text('workspace').notNull(),
    manifest: jsonb('manifest').$type<VersionManifest>().notNull(),
    compiled: jsonb('compiled').$type<CompiledWorkspace>().notNull(),
    /** Results of the cases at the first push. */
    cases: jsonb('cases').$type<CaseRow[]>().notNull(),
    problems: jsonb('problems').$type<Problem[]>().notNull(),
    /** The version that an edit in the console started from. */
    parentDigest: text('parent_digest'),
    createdMs: timeMs('created').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.organisationId, table.digest] }),
    unique('version_number').on(table.organisationId, table.number),
    index('version_workspace').on(table.organisationId, table.workspace, table.number),
    check('version_number_positive', sql`${table.number} >= 1`),
  ],
)
/** One case of a version as it ended. */
export interface CaseRow {
  file: string
  name: string
  passed: boolean
  line: number
  column: number
  message?: string
}

/** Who pushed a version, when and from where. A version may be pushed many times. Append-only. */
export const push = pgTable(
  'push',
  {
    id: uuid('id').primaryKey(),
    organisationId: organisationId().references(() => organisation.id),
    digest: text('digest').notNull(),
    by: text('by').notNull(),
    source: text('source').notNull(),
    commit: text('commit'),
    author: text('author'),
    ciRun: text('ci_run'),
    message: text('message'),
    createdMs: timeMs('created').notNull(),
  },
  (table) => [index('push_version').on(table.organisationId, table.digest, table.createdMs)],
)

/** Points (environment, workspace) at a stable version. The newest row holds. Append-only. */
export const deployment = pgTable(
  'deployment',
  {
    id: uuid('id').primaryKey(),
    organisationId: organisationId().references(() => organisation.id),
    environment: text('environment').notNull(),
    workspace: text('workspace').notNull(),
    /** Counts up per (environment, workspace). */
    sequence: bigint('sequence', { mode: 'number' }).notNull(),
    stableDigest: text('stable_digest').notNull(),
    candidate: jsonb('candidate').$type<CandidateRow | null>(),
    shadows: jsonb('shadows').$type<string[]>().notNull().default([]),
    /** Of all calls, how many the shadows look at; null is all. */
    shadowPpm: integer('shadow_ppm'),
    /** Sequence of the release that carries it. */
    releaseSequence: bigint('release_sequence', { mode: 'number' }).notNull(),
    rollbackOf: uuid('rollback_of'),
    /** Where the push that deployed it came from; null for a promotion. */
    source: text('source'),
    cause: text('cause').$type<Deployment['cause']>().notNull().default('promotion'),
    reason: text('reason'),
    /** Why a candidate was taken back. */
    evidence: jsonb('evidence').$type<Evidence | null>(),
    /** The request that was agreed to; null where nobody had to. */
    approvalId: uuid('approval_id'),
    by: text('by').notNull(),
    createdMs: timeMs('created').notNull(),
  },
  (table) => [
    unique('deployment_sequence').on(
      table.organisationId,
      table.environment,
      table.workspace,
      table.sequence,
    ),
    index('deployment_time').on(table.organisationId, table.createdMs),
  ],
)
export interface CandidateRow extends Omit<Candidate, 'version' | 'teams'> {
  /** Ids of nodes. */
  teams: string[]
  salt: string
}
