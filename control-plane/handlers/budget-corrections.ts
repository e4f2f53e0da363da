import { type budgetOperations, Refusal } from '@signalbox/sdk/contract'
import { validate as isUuid } from 'uuid'
import type { Handlers, RequestContext } from '../handler.ts'
import { releaseStranded, settleOverrun, voidSettlement } from '../ledger/correct.ts'
import { changeBudget, checkRevision } from '../ledger/set-budget.ts'
import { withAudit } from '../stores/audit.ts'
import type { BudgetRow } from '../stores/budgets.ts'
import { type BudgetDependencies, requireBudget, viewBudget } from './budget-lookup.ts'

type Corrections = Pick<
  Handlers<typeof budgetOperations>,
  'overrideBudget' | 'endBudgetOverride' | 'releaseStranded' | 'settleOverrun' | 'voidSettlement'
>

const auditOf = ({ organisationId, actor }: RequestContext, action: string) => ({
  organisationId,
  actor,
  action,
})
const noOverride = { overrideLimit: null, overrideUntilMs: null, overrideReason: null, overrideBy: null }

function overrideBudget(dependencies: BudgetDependencies): Corrections['overrideBudget'] {
  return async (context, { params, body }) => {
    const { organisationId, actor } = context
    if (body.untilMs <= (await dependencies.clock(dependencies.db))) {
      throw new Refusal('invalid_request', { message: 'untilMs is in the past.', param: 'untilMs' })
    }
    await withAudit(dependencies, auditOf(context, 'overrideBudget'), async (tx) => {
      const { path, ...row } = await requireBudget(tx, organisationId, params.id)
      checkRevision(row, body.revision)
      const { limit, untilMs, reason } = body
      const after: BudgetRow = {
        ...row,
        overrideLimit: BigInt(limit),
        overrideUntilMs: untilMs,
        overrideReason: reason,
        overrideBy: actor,
        revision: row.revision + 1,
      }
      await changeBudget(tx, dependencies, { row: after, seen: row.revision })
      const detail = { path, limit, untilMs, reason, own: String(row.limit) }
      return { result: undefined, audit: { object: `budget ${row.id}`, detail } }
    })
    return await viewBudget(dependencies, organisationId, params.id)
  }
}

function endBudgetOverride(dependencies: BudgetDependencies): Corrections['endBudgetOverride'] {
  return async (context, { params }) => {
    const { organisationId } = context
    await withAudit(dependencies, auditOf(context, 'endBudgetOverride'), async (tx) => {
      const { path, ...row } = await requireBudget(tx, organisationId, params.id)
      if (row.overrideLimit === null) return { result: undefined, audit: null }
      const after: BudgetRow = { ...row, ...noOverride, revision: row.revision + 1 }
      await changeBudget(tx, dependencies, { row: after, seen: row.revision })
      const detail = { path, limit: String(row.overrideLimit), own: String(row.limit) }
      return { result: undefined, audit: { object: `budget ${row.id}`, detail } }
    })
    return await viewBudget(dependencies, organisationId, params.id)
  }
}

/** What people correct: every one of it leaves a reason in the audit log. */
export function createBudgetCorrectionHandlers(dependencies: BudgetDependencies): Corrections {
  const { clock } = dependencies
  const correctionOf = ({ organisationId, actor }: RequestContext) => ({ organisationId, actor, clock })
  return {
    overrideBudget: overrideBudget(dependencies),
    endBudgetOverride: endBudgetOverride(dependencies),
    async releaseStranded(context, { params, body }) {
      const { organisationId } = context
      const done = await withAudit(dependencies, auditOf(context, 'releaseStranded'), async (tx) => {
        const { id, path } = await requireBudget(tx, organisationId, params.id)
        const wanted = { budgetId: id, leases: body.leases }
        const result = await releaseStranded(tx, correctionOf(context), wanted)
        const { leases, released } = result
        const detail = { path, reason: body.reason, leases, released: String(released) }
        return { result, audit: { object: `budget ${id}`, detail } }
      })
      const budget = await viewBudget(dependencies, organisationId, params.id)
      return { leases: done.leases, released: String(done.released), budget }
    },
    async settleOverrun(context, { params, body }) {
      const { organisationId } = context
      await withAudit(dependencies, auditOf(context, 'settleOverrun'), async (tx) => {
        const { id, path } = await requireBudget(tx, organisationId, params.id)
        const moved = await settleOverrun(tx, correctionOf(context), id)
        const detail = { path, reason: body.reason, amount: String(moved) }
        return { result: undefined, audit: { object: `budget ${id}`, detail } }
      })
      return await viewBudget(dependencies, organisationId, params.id)
    },
    async voidSettlement(context, { body }) {
      if (!isUuid(body.callId) || !isUuid(body.leaseId)) {
        throw new Refusal('not_found', { message: 'There is no settlement of this call, attempt and lease.' })
      }
      return await withAudit(dependencies, auditOf(context, 'voidSettlement'), async (tx) => {
        const { amount, overrun, budgets } = await voidSettlement(tx, correctionOf(context), body)
        const result = { amount: String(amount), overrun: String(overrun), budgets }
        return { result, audit: { object: `call ${body.callId}`, detail: { ...body, ...result } } }
      })
    },
  }
}
