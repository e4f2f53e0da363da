import { type budgetOperations, Refusal } from '@signalbox/sdk/contract'
import { validate as isUuid } from 'uuid'
import { isUniqueViolation } from '../db/errors.ts'
import type { Dependencies } from '../dependencies.ts'
import type { Handlers, RequestContext } from '../handler.ts'
import { viewAlerts } from '../ledger/alert-view.ts'
import { viewBudgets } from '../ledger/budget-view.ts'
import { explainBudget } from '../ledger/explain-budget.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { previewBudget } from '../ledger/preview-budget.ts'
import { changeable, changeBudget, checkRevision, planBudget, writeBudget } from '../ledger/set-budget.ts'
import { publishAndAwait } from '../read-your-writes.ts'
import { withAudit } from '../stores/audit.ts'
import { checkWindows } from '../stores/budget-explain.ts'
import { listBudgets } from '../stores/budgets.ts'
import { listEnvironments } from '../stores/environments.ts'
import { createBudgetCorrectionHandlers } from './budget-corrections.ts'
import { type BudgetDependencies, requireBudget, viewBudget } from './budget-lookup.ts'
import { createRefusedReportHandlers } from './refused-reports.ts'

type BudgetHandlers = Handlers<typeof budgetOperations>
const alertsPerPage = 100

/** Budgets stand in the state of every environment. */
async function publishBudgets({ db, stateWriter }: Dependencies, context: RequestContext) {
  return publishAndAwait(stateWriter, context, async () => {
    const environments = await listEnvironments(db, context.organisationId)
    return Promise.all(environments.map(({ name }) => stateWriter.publishState(context.organisationId, name)))
  })
}

function setBudget(dependencies: BudgetDependencies): BudgetHandlers['setBudget'] {
  return async (context, { body }) => {
    const { organisationId, actor } = context
    const audit = { organisationId, actor, action: 'setBudget' }
    const id = await withAudit(dependencies, audit, async (tx) => {
      const change = await planBudget(tx, dependencies, {
        ...{ organisationId, wanted: body, permit: context.permit },
      })
      const { before, after } = change
      if (before?.revision === after.revision) return { result: after.id, audit: null }
      await writeBudget(tx, dependencies, change)
      const { window, unit } = after
      const was = before === undefined ? null : changeable(before)
      const detail = { path: after.path, window, unit, before: was, after: changeable(after) }
      return { result: after.id, audit: { object: `budget ${after.id}`, detail } }
    }).catch((error: unknown) => {
      if (!isUniqueViolation(error, 'budget_of_node') && !isUniqueViolation(error, 'budget_of_key'))
        throw error
      throw new Refusal('conflict', { message: 'Somebody else has just made this budget.' })
    })
    const pending = await publishBudgets(dependencies, context)
    return { ...(await viewBudget(dependencies, organisationId, id)), ...pending }
  }
}

function deleteBudget(dependencies: BudgetDependencies): BudgetHandlers['deleteBudget'] {
  return async (context, { params, query }) => {
    const { organisationId, actor } = context
    const audit = { organisationId, actor, action: 'deleteBudget' }
    const deletedMs = dependencies.nowMs()
    await withAudit(dependencies, audit, async (tx) => {
      const { path, ...row } = await requireBudget(tx, organisationId, params.id)
      checkRevision(row, query.revision)
      const deleted = { ...row, deletedMs, revision: row.revision + 1 }
      await changeBudget(tx, dependencies, { row: deleted, seen: row.revision })
      const { window, unit } = row
      const detail = { path, window, unit, before: changeable(row) }
      return { result: undefined, audit: { object: `budget ${row.id}`, detail } }
    })
    const pending = await publishBudgets(dependencies, context)
    return { id: params.id, deletedMs, ...pending }
  }
}

/** Budgets: what nodes and keys may spend, what became of it, and what people correct. */
export function createBudgetHandlers(
  dependencies: BudgetDependencies & { readonly ledger: Ledger },
): BudgetHandlers {
  const { db, clock } = dependencies
  return {
    ...createBudgetCorrectionHandlers(dependencies),
    ...createRefusedReportHandlers(dependencies),
    async listBudgets({ organisationId, permit }, { query }) {
      const node = query.team === undefined ? undefined : await permit.resolve(query.team)
      if (query.key !== undefined && !isUuid(query.key)) return { items: [] }
      const where = {
        reach: permit.reach,
        ...(node === undefined ? {} : { nodeId: node.id }),
        ...(query.key === undefined ? {} : { keyId: query.key }),
      }
      const rows = await listBudgets(db, organisationId, where)
      return { items: await viewBudgets(db, rows, await clock(db)) }
    },
    getBudget: ({ organisationId }, { params }) => viewBudget(dependencies, organisationId, params.id),
    setBudget: setBudget(dependencies),
    deleteBudget: deleteBudget(dependencies),
    async previewBudget({ organisationId, permit }, { body }) {
      const change = await planBudget(db, dependencies, { organisationId, wanted: body, permit })
      return await previewBudget(db, change, await clock(db))
    },
    async explainBudget({ organisationId }, { params, query }) {
      const row = await requireBudget(db, organisationId, params.id)
      return await explainBudget(db, row, { ...query, nowMs: await clock(db) })
    },
    async listBudgetAlerts({ organisationId, permit: { reach } }, { query: { limit = alertsPerPage } }) {
      return { items: await viewAlerts(db, { organisationId, reach, limit }) }
    },
    reconcileBudgets: ({ organisationId }) => checkWindows(db, organisationId),
  }
}
