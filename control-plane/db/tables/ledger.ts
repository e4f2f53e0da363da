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
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'
import { organisationId, timeMs } from '../columns.ts'
import { apiKey, node, organisation } from './access.ts'

/** Nano-dollars or tokens. */
const amount = (name: string) => bigint(name, { mode: 'bigint' })
/** A sum that only its transfers change. */
const sum = (name: string) => amount(name).notNull().default(sql`0`)

/** What a node or a key may spend per window. A deleted one stays for its history. */
export const budget = pgTable(
  'budget',
  {
    id: uuid('id').primaryKey(),
    organisationId: organisationId().references(() => organisation.id),
    /** The owner: one of the two. */
    nodeId: uuid('node_id').references(() => node.id),
    keyId: uuid('key_id').references(() => apiKey.id),
    window: text('window', { enum: ['day', 'week', 'month', 'quarter', 'year', 'total'] }).notNull(),
    unit: text('unit', { enum: ['usd', 'tokens'] }).notNull(),
    mode: text('mode', { enum: ['hard', 'soft', 'shadow'] }).notNull(),
    limit: amount('limit_amount').notNull(),
    timeZone: text('time_zone').notNull(),
    /** `MM-DD`. */
    fiscalStart: text('fiscal_start').notNull(),
    alertsPpm: jsonb('alerts_ppm').$type<number[]>().notNull(),
    managedBy: text('managed_by', { enum: ['api', 'workspace'] }).notNull(),
    overrideLimit: amount('override_limit'),
    overrideUntilMs: timeMs('override_until'),
    overrideReason: text('override_reason'),
    overrideBy: text('override_by'),
    revision: integer('revision').notNull(),
    createdMs: timeMs('created').notNull(),
    deletedMs: timeMs('deleted'),
  },
  (table) => [
    uniqueIndex('budget_of_node')
      .on(table.nodeId, table.window, table.unit)
      .where(sql`${table.deletedMs} is null`),
    uniqueIndex('budget_of_key')
      .on(table.keyId, table.window, table.unit)
      .where(sql`${table.deletedMs} is null`),
    index('budget_organisation').on(table.organisationId),
    check('budget_owner', sql`(${table.nodeId} is null) <> (${table.keyId} is null)`),
    check('budget_limit', sql`${table.limit} >= 0 and coalesce(${table.overrideLimit}, 0) >= 0`),
    check(
      'budget_override',
      sql`(${table.overrideLimit} is null) = (${table.overrideUntilMs} is null)
        and (${table.overrideLimit} is null) = (${table.overrideReason} is null)`,
    ),
  ],
)

/** Balances of a budget's windows: sums of its transfers, kept in the same transactions. */
export const budgetWindow = pgTable(
  'budget_window',
  {
    organisationId: organisationId().references(() => organisation.id),
    budgetId: uuid('budget_id')
      .notNull()
      .references(() => budget.id),
    startMs: timeMs('start').notNull(),
    /** Null for `total`. */
    endMs: timeMs('end'),
    /** The limit that held when the window was last touched. */
    limit: amount('limit_amount').notNull(),
    settled: sum('settled'),
    leased: sum('leased'),
    stranded: sum('stranded'),
    overrun: sum('overrun'),
    /** Wishes that would have been refused, were the budget a hard one. */
    wouldRefuse: integer('would_refuse').notNull().default(0),
    /** When a wish was refused last: others wait for what lies idle. */
    refusedMs: timeMs('refused'),
  },
  (table) => [
    primaryKey({ columns: [table.budgetId, table.startMs] }),
    check(
      'budget_window_sums',
      sql`${table.settled} >= 0 and ${table.leased} >= 0 and ${table.stranded} >= 0 and ${table.overrun} >= 0`,
    ),
  ],
)

/** Money deducted from all its budgets and handed to a run of a gateway. `amount` only falls, `settled` only rises. */
export const lease = pgTable(
  'lease',
  {
    /** Chosen by the gateway. */
    id: uuid('id').primaryKey(),
    organisationId: organisationId().references(() => organisation.id),
    gatewayId: uuid('gateway_id').notNull(),
    incarnation: uuid('incarnation').notNull(),
    /** Ascending. With `windowStarts`: the windows it was deducted from. */
    budgetIds: uuid('budget_ids').array().notNull(),
    windowStarts: timeMs('window_starts').array().notNull(),
    granted: amount('granted').notNull(),
    amount: amount('amount').notNull(),
    settled: sum('settled'),
    /** Settled that was reported after the rest had been given to others. */
    late: sum('late'),
    /** Taken back by `voidSettlement`. */
    voided: sum('voided'),
    state: text('state', { enum: ['active', 'stranded', 'closed'] }).notNull(),
    createdMs: timeMs('created').notNull(),
    expiresMs: timeMs('expires').notNull(),
  },
  (table) => [
    // Neither column of a heartbeat is indexed, so that it stays cheap.
    index('lease_open').using('gin', table.budgetIds).where(sql`${table.state} <> 'closed'`),
    index('lease_holder').on(table.gatewayId).where(sql`${table.state} <> 'closed'`),
    check('lease_state', sql`${table.state} in ('active', 'stranded', 'closed')`),
    check(
      'lease_amounts',
      sql`${table.settled} >= 0 and ${table.settled} <= ${table.amount} and ${table.late} >= 0`,
    ),
  ],
)

/** What one attempt kept from a lease and what it cost. Append-only. */
export const settlement = pgTable(
  'settlement',
  {
    organisationId: organisationId(),
    /** The record's id. */
    callId: uuid('call_id').notNull(),
    attempt: integer('attempt').notNull(),
    leaseId: uuid('lease_id').notNull(),
    hold: amount('hold').notNull(),
    actual: amount('actual').notNull(),
    overrun: amount('overrun').notNull(),
    evidence: text('evidence', { enum: ['reported', 'estimated', 'hold'] }).notNull(),
    timeMs: timeMs('time').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.callId, table.attempt, table.leaseId] }),
    index('settlement_lease').on(table.leaseId),
  ],
)

/** Settlements that were taken back. Append-only. */
export const settlementVoid = pgTable(
  'settlement_void',
  {
    organisationId: organisationId(),
    callId: uuid('call_id').notNull(),
    attempt: integer('attempt').notNull(),
    leaseId: uuid('lease_id').notNull(),
    note: text('note').notNull(),
    by: text('by').notNull(),
    timeMs: timeMs('time').notNull(),
  },
  (table) => [primaryKey({ columns: [table.callId, table.attempt, table.leaseId] })],
)

/** Every movement of money in a window, as differences of its sums. Append-only: balances derive from it. */
export const transfer = pgTable(
  'transfer',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    organisationId: organisationId(),
    budgetId: uuid('budget_id').notNull(),
    windowStartMs: timeMs('window_start').notNull(),
    leaseId: uuid('lease_id'),
    kind: text('kind', {
      enum: ['grant', 'report', 'strand', 'recover', 'release', 'overrun', 'settleOverrun', 'void'],
    }).notNull(),
    settled: sum('settled'),
    leased: sum('leased'),
    stranded: sum('stranded'),
    overrun: sum('overrun'),
    /** Of what a person did. */
    actor: text('actor'),
    timeMs: timeMs('time').notNull(),
  },
  (table) => [index('transfer_window').on(table.budgetId, table.windowStartMs)],
)

/** What somebody is to be told of a window: each once. The first delivery sets `delivered`. */
export const budgetAlert = pgTable(
  'budget_alert',
  {
    id: uuid('id').notNull().unique().defaultRandom(),
    organisationId: organisationId(),
    budgetId: uuid('budget_id')
      .notNull()
      .references(() => budget.id),
    windowStartMs: timeMs('window_start').notNull(),
    kind: text('kind', {
      enum: ['threshold', 'exhausted', 'overrun', 'stranded', 'forecast', 'refused'],
    }).notNull(),
    /** Of `threshold`; else 0. */
    thresholdPpm: integer('threshold_ppm').notNull(),
    /** Settled and overrun at that moment. */
    spent: amount('spent').notNull(),
    limit: amount('limit_amount').notNull(),
    /** Of `forecast`: what the window is going to cost. */
    projected: amount('projected'),
    timeMs: timeMs('time').notNull(),
    deliveredMs: timeMs('delivered'),
  },
  (table) => [
    primaryKey({ columns: [table.budgetId, table.windowStartMs, table.kind, table.thresholdPpm] }),
    index('budget_alert_time').on(table.organisationId, table.timeMs),
  ],
)

/** Reports of gateways that the ledger refused for good, until somebody decides. */
export const refusedReport = pgTable(
  'refused_report',
  {
    /** Chosen by the gateway. */
    id: uuid('id').primaryKey(),
    organisationId: organisationId().references(() => organisation.id),
    gatewayId: uuid('gateway_id').notNull(),
    incarnation: text('incarnation').notNull(),
    timeMs: timeMs('time').notNull(),
    error: text('error').notNull(),
    tries: integer('tries').notNull(),
    /** As it was sent: it may be nothing that a column could hold. */
    report: text('report').notNull(),
    state: text('state', { enum: ['open', 'taken', 'void'] }).notNull(),
    decidedMs: timeMs('decided'),
    decidedBy: text('decided_by'),
    note: text('note'),
  },
  (table) => [index('refused_report_state').on(table.organisationId, table.state, table.timeMs)],
)
