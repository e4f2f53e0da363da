import { type BodyOf, moneyOperations, Refusal, type RefusedReport } from '@signalbox/sdk/contract'
import { describeViolations, fits, violationsOf } from '@signalbox/sdk/node'
import { validate as isUuid } from 'uuid'
import type { Queryable, Transaction } from '../db/connect.ts'
import { loadIncarnations, loadLeases, windowsOf } from '../stores/leases.ts'
import { type Clock, openBook } from '../stores/ledger-book.ts'
import { insertRefusedReports, type RefusedReportRow } from '../stores/refused-reports.ts'
import type { Ledger } from './ledger.ts'
import type { SettleRequest } from './terms.ts'

type SettleBody = BodyOf<(typeof moneyOperations)['gatewaySettle']>
/** Whose reports are put aside. */
interface Reporter {
  readonly organisationId: string
  readonly gatewayId: string
  readonly clock: Clock
}

/** What a refused report says, as the ledger takes it. @throws Refusal `invalid_request` that says what is wrong. */
function parseReport({ report, gatewayId }: RefusedReportRow): SettleBody {
  const wrong = (message: string): Refusal => new Refusal('invalid_request', { message, param: 'report' })
  let parsed: unknown
  try {
    parsed = JSON.parse(report)
  } catch {
    throw wrong('The report is no JSON.')
  }
  const whole = typeof parsed === 'object' && parsed !== null ? { ...parsed, incarnation: gatewayId } : parsed
  const { body } = moneyOperations.gatewaySettle
  if (!fits(body, whole)) {
    throw wrong(`No ledger can take it: ${describeViolations(violationsOf(body, whole))}`)
  }
  const id = [...whole.leases, ...whole.settlements].find(({ leaseId }) => !isUuid(leaseId))?.leaseId
  const call = whole.settlements.find(({ callId }) => !isUuid(callId))?.callId
  if (id !== undefined || call !== undefined) throw wrong(`"${id ?? call}" is no UUID.`)
  return whole
}

/** Ids of the leases that a report may tell of, whatever else it is. */
const namedIn = (report: string): string[] =>
  [...report.matchAll(/"leaseId":"([0-9a-f-]{36})"/gi)].map(([, id = '']) => id).filter(isUuid)

/** The budgets of the leases that each of some reports names, by the report's id. */
export async function budgetsNamedIn(
  q: Queryable,
  organisationId: string,
  rows: readonly RefusedReportRow[],
): Promise<Map<string, string[]>> {
  const named = new Map(rows.map(({ id, report }) => [id, namedIn(report)]))
  const leases = await loadLeases(q, organisationId, [...new Set([...named.values()].flat())])
  const budgets = new Map(leases.map(({ id, budgetIds }) => [id, budgetIds]))
  const ofAll = (ids: readonly string[]) => [
    ...new Set(ids.flatMap((id) => budgets.get(id.toLowerCase()) ?? [])),
  ]
  return new Map([...named].map(([id, ids]) => [id, ofAll(ids)]))
}

/**
 * Keeps reports that the ledger refused, and tells whom it concerns: somebody must decide, and until then what their
 * leases hold is stranded once they expire. Gives how many are new.
 */
export async function putAside(
  tx: Transaction,
  { organisationId, gatewayId, clock }: Reporter,
  reports: readonly RefusedReport[],
): Promise<number> {
  const rows = reports.map((each): RefusedReportRow => {
    const undecided = { state: 'open' as const, decidedMs: null, decidedBy: null, note: null }
    return { ...each, organisationId, gatewayId, ...undecided }
  })
  const added = await insertRefusedReports(tx, rows)
  const named = [...new Set(added.flatMap(({ report }) => namedIn(report)))]
  const leases = await loadLeases(tx, organisationId, named)
  const budgetIds = leases.flatMap((row) => row.budgetIds)
  const book = await openBook(tx, { organisationId, budgetIds, clock })
  await book.openWindows(leases.flatMap(windowsOf))
  for (const window of book.windows()) book.alert(window, 'refused')
  await book.flush()
  return added.length
}

/**
 * Has the ledger take a refused report, for the leases it names, by whichever gateway they are held: the word of an
 * operator stands in for that of the gateway. Leases that are not live any more do not come back to life by it.
 * @throws Refusal what the ledger says against it; `conflict` where none of its leases is known.
 */
export async function takeRefusedReport(
  { db, ledger }: { readonly db: Queryable; readonly ledger: Ledger },
  row: RefusedReportRow,
): Promise<void> {
  const body = parseReport(row)
  const { organisationId } = row
  const named = [...new Set([...body.leases, ...body.settlements].map(({ leaseId }) => leaseId))]
  const leases = await loadLeases(db, organisationId, named)
  if (leases.length < named.length) {
    throw new Refusal('conflict', { message: 'The ledger never granted the lease that this report is of.' })
  }
  const holders = Map.groupBy(leases, ({ gatewayId }) => gatewayId)
  const incarnations = await loadIncarnations(db, [...holders.keys()])
  for (const [gatewayId, own] of holders) {
    const isOwn = ({ leaseId }: { readonly leaseId: string }): boolean => own.some(({ id }) => id === leaseId)
    const incarnation = incarnations.get(gatewayId) ?? own[0]?.incarnation ?? ''
    const request: SettleRequest = {
      ...{ organisationId, gatewayId },
      body: {
        incarnation,
        leases: body.leases.filter(isOwn),
        settlements: body.settlements.filter(isOwn),
      },
    }
    await ledger.settle(request)
  }
}
