import type { Approval, Arm, GuardMetric } from '@signalbox/sdk/contract'
import {
  bigint,
  doublePrecision,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uuid,
} from 'drizzle-orm/pg-core'
import { organisationId, timeMs } from '../columns.ts'
import { organisation } from './access.ts'
import type { CandidateRow } from './versions.ts'

/** What somebody asked to deploy. */
export interface WantedDeployment {
  readonly digest: string
  readonly candidate: Omit<CandidateRow, 'digest' | 'rollout' | 'step' | 'salt' | 'sinceMs'> | null
  readonly shadow: boolean
  /** Of all calls, how many the shadows look at. */
  readonly shadowPpm?: number
  readonly source: string | null
  readonly reason: string | null
}

/** Deployments that others have to agree to, and what became of them. */
export const approval = pgTable(
  'approval',
  {
    id: uuid('id').primaryKey(),
    organisationId: organisationId().references(() => organisation.id),
    environment: text('environment').notNull(),
    workspace: text('workspace').notNull(),
    wanted: jsonb('wanted').$type<WantedDeployment>().notNull(),
    /** Sequence of the deployment that it was asked on; 0 for the first. */
    baseSequence: bigint('base_sequence', { mode: 'number' }).notNull(),
    status: text('status', { enum: ['awaiting_approval', 'live', 'rejected', 'outdated'] }).notNull(),
    needed: integer('needed').notNull(),
    role: text('role'),
    action: text('action').notNull(),
    requestedBy: text('requested_by').notNull(),
    decisions: jsonb('decisions').$type<Approval['decisions']>().notNull(),
    createdMs: timeMs('created').notNull(),
  },
  (table) => [index('approval_time').on(table.organisationId, table.createdMs)],
)

/** Sums over the calls of one arm since its deployment began; the share of a candidate is the same all the time. */
export const rolloutTally = pgTable(
  'rollout_tally',
  {
    organisationId: organisationId().references(() => organisation.id),
    deploymentId: uuid('deployment_id').notNull(),
    arm: text('arm').$type<Arm>().notNull(),
    calls: bigint('calls', { mode: 'number' }).notNull(),
    policyErrors: bigint('policy_errors', { mode: 'number' }).notNull(),
    upstreamErrors: bigint('upstream_errors', { mode: 'number' }).notNull(),
    denies: bigint('denies', { mode: 'number' }).notNull(),
    guardrails: bigint('guardrails', { mode: 'number' }).notNull(),
    pricedCalls: bigint('priced_calls', { mode: 'number' }).notNull(),
    costNanoUsd: bigint('cost_nano_usd', { mode: 'bigint' }).notNull(),
    /** Sum of the squares of costs, in nano-dollars. */
    costSquares: doublePrecision('cost_squares').notNull(),
    /** Bucket of latency → calls; see `rollouts/latency-buckets.ts`. */
    latency: jsonb('latency').$type<Record<string, number>>().notNull(),
    /** The first calls that count against a guard. */
    examples: jsonb('examples').$type<Partial<Record<GuardMetric, string[]>>>().notNull(),
    updatedMs: timeMs('updated').notNull(),
  },
  (table) => [primaryKey({ columns: [table.deploymentId, table.arm] })],
)

/** How often a version that looks on would have decided otherwise, by who decided. */
export const shadowTally = pgTable(
  'shadow_tally',
  {
    organisationId: organisationId().references(() => organisation.id),
    deploymentId: uuid('deployment_id').notNull(),
    versionDigest: text('version_digest').notNull(),
    fromRule: text('from_rule').notNull(),
    toRule: text('to_rule').notNull(),
    effect: text('effect').notNull(),
    /** `true` where the decision was the same, `false` where not. */
    same: text('same', { enum: ['true', 'false'] }).notNull(),
    calls: bigint('calls', { mode: 'number' }).notNull(),
    examples: jsonb('examples').$type<string[]>().notNull(),
  },
  (table) => [
    primaryKey({
      name: 'shadow_tally_pk',
      columns: [
        table.deploymentId,
        table.versionDigest,
        table.fromRule,
        table.toRule,
        table.effect,
        table.same,
      ],
    }),
  ],
)
