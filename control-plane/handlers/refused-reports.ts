import { type budgetOperations, Refusal } from '@signalbox/sdk/contract'
import { validate as isUuid } from 'uuid'
import type { Handlers, RequestContext } from '../handler.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { budgetsNamedIn, takeRefusedReport } from '../ledger/refused-reports.ts'
import { withAudit } from '../stores/audit.ts'
import {
  decideRefusedReport,
  findRefusedReport,
  listRefusedReports,
  type RefusedReportRow,
} from '../stores/refused-reports.ts'
import type { BudgetDependencies } from './budget-lookup.ts'

type RefusedHandlers = Pick<
  Handlers<typeof budgetOperations>,
  'listRefusedReports' | 'retryRefusedReport' | 'voidRefusedReport'
>
interface Tools extends BudgetDependencies {
  readonly ledger: Ledger
}
interface Decided {
  readonly action: 'retryRefusedReport' | 'voidRefusedReport'
  readonly state: 'taken' | 'void'
  readonly note: string
}

async function viewAll({ db }: Tools, organisationId: string, rows: readonly RefusedReportRow[]) {
  const budgets = await budgetsNamedIn(db, organisationId, rows)
  return rows.map(({ organisationId: _, ...row }) => ({ ...row, budgets: budgets.get(row.id) ?? [] }))
}
const decidedAlready = (): Refusal => new Refusal('conflict', { message: 'This report is decided already.' })

/** @throws Refusal `not_found`, or `conflict` where it is decided. */
async function requireOpen({ db }: Tools, organisationId: string, id: string): Promise<RefusedReportRow> {
  const row = isUuid(id) ? await findRefusedReport(db, organisationId, id) : undefined
  if (row === undefined) throw new Refusal('not_found', { message: 'There is no such report.' })
  if (row.state !== 'open') throw decidedAlready()
  return row
}

async function decide(tools: Tools, context: RequestContext, row: RefusedReportRow, decided: Decided) {
  const { organisationId, actor } = context
  const { action, state, note } = decided
  const budgets = (await budgetsNamedIn(tools.db, organisationId, [row])).get(row.id) ?? []
  return await withAudit(tools, { organisationId, actor, action }, async (tx) => {
    const decision = { state, note, decidedMs: tools.nowMs(), decidedBy: actor }
    const after = await decideRefusedReport(tx, row.id, decision)
    if (after === undefined) throw decidedAlready()
    const { gatewayId, error, report } = row
    const detail = { note, gatewayId, error, report }
    const { organisationId: _, ...result } = after
    return { result: { ...result, budgets }, audit: { object: `refused report ${row.id}`, detail } }
  })
}

/** Reports that the ledger refused, and what people decide of them. */
export function createRefusedReportHandlers(tools: Tools): RefusedHandlers {
  return {
    async listRefusedReports({ organisationId }) {
      const rows = await listRefusedReports(tools.db, organisationId)
      return { items: await viewAll(tools, organisationId, rows) }
    },
    async retryRefusedReport(context, { params, body: { note } }) {
      const row = await requireOpen(tools, context.organisationId, params.id)
      // What the ledger takes twice it takes once: a retry that is cut off here can be made again.
      await takeRefusedReport(tools, row)
      return await decide(tools, context, row, { action: 'retryRefusedReport', state: 'taken', note })
    },
    async voidRefusedReport(context, { params, body: { note } }) {
      const row = await requireOpen(tools, context.organisationId, params.id)
      return await decide(tools, context, row, { action: 'voidRefusedReport', state: 'void', note })
    },
  }
}
