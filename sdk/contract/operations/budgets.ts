import { Type } from 'typebox'
import { Amount, RefusedReport } from '../money.ts'
import { defineOperation } from '../operation.ts'
import { Id, TimeMs } from '../scalars.ts'
import { BudgetAlert } from './alerts.ts'
import { BudgetExplanation, BudgetPreview, LedgerDifference } from './budget-views.ts'
import { Budget, budgetShape } from './money.ts'

const closed = { additionalProperties: false } as const
const pending = Type.Optional(Type.Array(Type.String()))
const ById = Type.Object({ id: Id }, closed)
const list = <T extends Parameters<typeof Type.Array>[0]>(items: T) =>
  Type.Object({ items: Type.Array(items) }, closed)
const Revision = Type.Integer({
  minimum: 0,
  description: 'The revision that the change was made on, 0 for a budget that is not there yet.',
})
const Reason = Type.String({ minLength: 1, maxLength: 512, description: 'Why; stands in the audit log.' })
const Team = Type.String({ minLength: 1, maxLength: 512, description: 'Id, name or path of a node.' })
const KeyId = Type.String({ minLength: 1, maxLength: 64, description: 'Id of a key.' })
const Count = Type.Integer({ minimum: 0 })

const RefusedReportView = Type.Object(
  {
    ...RefusedReport.properties,
    gatewayId: Id,
    budgets: Type.Array(Id, {
      description:
        'Whose money it is about: the budgets of the leases that it names, where the ledger knows them.',
    }),
    /** `open` waits for somebody to retry or void it. */
    state: Type.Enum(['open', 'taken', 'void']),
    decidedMs: Type.Union([TimeMs, Type.Null()]),
    decidedBy: Type.Union([Type.String(), Type.Null()]),
    note: Type.Union([Type.String(), Type.Null()]),
  },
  closed,
)
const Decision = Type.Object({ note: Reason }, closed)

const { owner: _, window, unit, mode, limit, timeZone, fiscalStart, alertsPpm } = budgetShape
/** What a budget is to be. There is one per owner, window and unit; what is left out stays, or takes its default. */
const Wanted = Type.Object(
  {
    team: Type.Optional(Team),
    key: Type.Optional(KeyId),
    window,
    limit,
    unit: Type.Optional(unit),
    mode: Type.Optional(mode),
    timeZone: Type.Optional(timeZone),
    fiscalStart: Type.Optional(fiscalStart),
    alertsPpm: Type.Optional(alertsPpm),
    revision: Type.Optional(Revision),
  },
  { ...closed, description: 'Exactly one of `team` and `key`.' },
)

export const budgetOperations = {
  listBudgets: defineOperation({
    id: 'listBudgets',
    method: 'GET',
    path: '/v1/budgets',
    role: 'member',
    scope: 'reach',
    summary: 'Lists budgets with their running windows, by the place of their owners.',
    query: Type.Object({ team: Type.Optional(Team), key: Type.Optional(KeyId) }, closed),
    reply: list(Budget),
    errors: ['not_found'],
  }),
  setBudget: defineOperation({
    id: 'setBudget',
    method: 'PUT',
    path: '/v1/budgets',
    role: ['owner', 'admin', 'finance'],
    scope: { node: 'team', key: 'key' },
    summary:
      'Makes or changes the budget of an owner, window and unit. It holds once all gateways acknowledged it.',
    body: Wanted,
    reply: Budget,
    errors: ['not_found', 'conflict', 'invalid_request'],
  }),
  previewBudget: defineOperation({
    id: 'previewBudget',
    method: 'POST',
    path: '/v1/budgets/preview',
    role: 'member',
    scope: { node: 'team', key: 'key' },
    summary: 'Says what `setBudget` with the same body would do, and changes nothing.',
    body: Wanted,
    reply: BudgetPreview,
    errors: ['not_found', 'conflict', 'invalid_request'],
  }),
  listBudgetAlerts: defineOperation({
    id: 'listBudgetAlerts',
    method: 'GET',
    path: '/v1/budgets/alerts',
    role: 'member',
    scope: 'reach',
    summary: 'Lists alerts of budgets, newest first.',
    query: Type.Object({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })) }, closed),
    reply: list(BudgetAlert),
    errors: [],
  }),
  reconcileBudgets: defineOperation({
    id: 'reconcileBudgets',
    method: 'GET',
    path: '/v1/budgets/reconcile',
    role: 'member',
    summary: 'Adds all transfers and leases up again and names every window whose balance differs.',
    reply: Type.Object(
      { windows: Count, transfers: Count, differences: Type.Array(LedgerDifference) },
      closed,
    ),
    errors: [],
  }),
  getBudget: defineOperation({
    id: 'getBudget',
    method: 'GET',
    path: '/v1/budgets/:id',
    role: 'member',
    scope: { budget: 'id' },
    summary: 'One budget with its running window.',
    params: ById,
    reply: Budget,
    errors: ['not_found'],
  }),
  deleteBudget: defineOperation({
    id: 'deleteBudget',
    method: 'DELETE',
    path: '/v1/budgets/:id',
    role: ['owner', 'admin', 'finance'],
    scope: { budget: 'id' },
    summary: 'Deletes a budget: it limits nothing any more. What was spent stays in the ledger.',
    params: ById,
    query: Type.Object({ revision: Type.Optional(Type.Integer({ minimum: 1 })) }, closed),
    reply: Type.Object({ id: Id, deletedMs: TimeMs, pending }, closed),
    errors: ['not_found', 'conflict'],
  }),
  explainBudget: defineOperation({
    id: 'explainBudget',
    method: 'GET',
    path: '/v1/budgets/:id/explain',
    role: 'member',
    scope: { budget: 'id' },
    summary: "Where a window's money went: by key, target and day, the dearest attempts, what gateways hold.",
    params: ById,
    query: Type.Object(
      {
        windowStartMs: Type.Optional(TimeMs),
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
      },
      closed,
    ),
    reply: BudgetExplanation,
    errors: ['not_found'],
  }),
  overrideBudget: defineOperation({
    id: 'overrideBudget',
    method: 'PUT',
    path: '/v1/budgets/:id/override',
    role: ['owner', 'admin', 'finance'],
    scope: { budget: 'id' },
    summary: 'Puts another limit in place of a budget’s own until a time, with a reason.',
    params: ById,
    body: Type.Object(
      { limit: Amount, untilMs: TimeMs, reason: Reason, revision: Type.Optional(Revision) },
      closed,
    ),
    reply: Budget,
    errors: ['not_found', 'conflict', 'invalid_request'],
  }),
  endBudgetOverride: defineOperation({
    id: 'endBudgetOverride',
    method: 'DELETE',
    path: '/v1/budgets/:id/override',
    role: ['owner', 'admin', 'finance'],
    scope: { budget: 'id' },
    summary: "Ends an override before its time: the budget's own limit holds again.",
    params: ById,
    reply: Budget,
    errors: ['not_found'],
  }),
  releaseStranded: defineOperation({
    id: 'releaseStranded',
    method: 'POST',
    path: '/v1/budgets/:id/release',
    role: ['owner', 'admin', 'finance'],
    summary:
      'Gives stranded money free again, on the word of an operator that its gateway spent no more of it.',
    params: ById,
    body: Type.Object(
      {
        reason: Reason,
        leases: Type.Optional(Type.Array(Id, { minItems: 1, maxItems: 1000, uniqueItems: true })),
      },
      closed,
    ),
    reply: Type.Object({ leases: Type.Array(Id), released: Amount, budget: Budget }, closed),
    errors: ['not_found', 'conflict'],
  }),
  settleOverrun: defineOperation({
    id: 'settleOverrun',
    method: 'POST',
    path: '/v1/budgets/:id/overrun',
    role: ['owner', 'admin', 'finance'],
    scope: { budget: 'id' },
    summary:
      'Takes the overrun of the running window as settled, as far as the limit has room: this opens it again.',
    params: ById,
    body: Type.Object({ reason: Reason }, closed),
    reply: Budget,
    errors: ['not_found', 'conflict'],
  }),
  voidSettlement: defineOperation({
    id: 'voidSettlement',
    method: 'POST',
    path: '/v1/settlements/void',
    role: ['owner', 'admin', 'finance'],
    summary:
      'Takes the cost of an attempt back from all its budgets, with a note; the settlement stays readable.',
    body: Type.Object(
      { callId: Id, attempt: Type.Integer({ minimum: 0, maximum: 64 }), leaseId: Id, note: Reason },
      closed,
    ),
    reply: Type.Object({ amount: Amount, overrun: Amount, budgets: Type.Array(Id) }, closed),
    errors: ['not_found', 'conflict'],
  }),
  listRefusedReports: defineOperation({
    id: 'listRefusedReports',
    method: 'GET',
    path: '/v1/settlements/refused',
    role: 'member',
    summary: 'Lists reports of gateways that the ledger refused for good: open ones first, then the newest.',
    reply: list(RefusedReportView),
    errors: [],
  }),
  retryRefusedReport: defineOperation({
    id: 'retryRefusedReport',
    method: 'POST',
    path: '/v1/settlements/refused/:id/retry',
    role: ['owner', 'admin', 'finance'],
    summary:
      'Has the ledger take a refused report after all, on the word of an operator: for the leases it names, whoever holds them.',
    params: ById,
    body: Decision,
    reply: RefusedReportView,
    errors: ['not_found', 'conflict', 'invalid_request'],
  }),
  voidRefusedReport: defineOperation({
    id: 'voidRefusedReport',
    method: 'POST',
    path: '/v1/settlements/refused/:id/void',
    role: ['owner', 'admin', 'finance'],
    summary:
      'Puts a refused report out of the way. What its lease holds stays stranded until it is released.',
    params: ById,
    body: Decision,
    reply: RefusedReportView,
    errors: ['not_found', 'conflict'],
  }),
} as const
