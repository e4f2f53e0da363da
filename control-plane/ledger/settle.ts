import { type LeaseReport, Refusal } from '@signalbox/sdk/contract'
import type { Transaction } from '../db/connect.ts'
import {
  insertLeases,
  insertSettlements,
  type LeaseRow,
  loadIncarnations,
  loadLeases,
  type NewSettlement,
  updateLeases,
  windowsOf,
} from '../stores/leases.ts'
import type { Book, OpenWindow } from '../stores/ledger-book.ts'
import { neverGranted } from './grant.ts'
import { mergeReport, movementBetween, still } from './merge-report.ts'
import { openLeases } from './open-leases.ts'
import { availableOf } from './slice.ts'
import {
  describeWindow,
  type LedgerTools,
  leaseTtlMs,
  type Outcome,
  type SettleReply,
  type SettleRequest,
} from './terms.ts'

/** Others wait for what lies idle while one of them was refused so lately. */
const waitingMs = 5000

/** Leases as the reports of one transaction change them. */
interface Desk {
  readonly book: Book
  readonly leases: Map<string, LeaseRow>
  readonly changed: Set<string>
  /** Leases that are over before they were granted: a copy of the wish that comes late finds them closed. */
  readonly never: Map<string, LeaseRow>
  readonly incarnations: ReadonlyMap<string, string | null>
}

function isPossible(report: LeaseReport): boolean {
  const [amount, settled] = [BigInt(report.amount), BigInt(report.settled)]
  return report.final ? settled === amount : settled <= amount
}

/** @throws Refusal `invalid_request` for sums that no lease and no attempt can have. */
function checkSums({ body }: SettleRequest): void {
  const lease = body.leases.find((report) => !isPossible(report))
  if (lease !== undefined) {
    throw new Refusal('invalid_request', {
      message: `Lease ${lease.leaseId}: settled is at most the amount, and equal to it where final.`,
      param: 'leases',
    })
  }
  const attempt = body.settlements.find(({ actual, overrun }) => BigInt(overrun) > BigInt(actual))
  if (attempt === undefined) return
  throw new Refusal('invalid_request', {
    message: `Call ${attempt.callId}, attempt ${attempt.attempt}: the overrun is a part of what it cost.`,
    param: 'settlements',
  })
}

/** Whether the idle part of a lease is wanted back. */
function isRecalled(book: Book, windows: readonly OpenWindow[]): boolean {
  return windows.some((window) => {
    const { budget, endMs, overrun, refusedMs } = window
    if (budget.deletedMs !== null || (endMs !== null && endMs <= book.nowMs)) return true
    if (budget.mode !== 'hard') return false
    return overrun > 0n || availableOf(window) < 0n || book.nowMs - (refusedMs ?? 0) < waitingMs
  })
}

function takeReport(desk: Desk, report: LeaseReport, request: SettleRequest): SettleReply['leases'][number] {
  const { book } = desk
  const { leaseId } = report
  const row = desk.leases.get(leaseId)
  if (row === undefined && report.final && BigInt(report.amount) === 0n) {
    const { organisationId, gatewayId, body } = request
    const of = { organisationId, gatewayId, incarnation: body.incarnation }
    desk.never.set(leaseId, neverGranted(leaseId, of, book.nowMs))
  }
  if (row === undefined || row.gatewayId !== request.gatewayId)
    return { leaseId, expiresInMs: 0, recall: true }
  const byHolder = row.incarnation === request.body.incarnation
  const [amount, settled] = [BigInt(report.amount), BigInt(report.settled)]
  const stand = mergeReport(row, { amount, settled, final: report.final }, byHolder)
  const alive = stand.state === 'active' && byHolder
  const after: LeaseRow = { ...row, ...stand, ...(alive ? { expiresMs: book.nowMs + leaseTtlMs } : {}) }
  const windows = windowsOf(row).map((key) => book.window(key))
  const kind = row.state === 'stranded' || !byHolder ? 'recover' : 'report'
  for (const window of windows) book.move(window, kind, { ...movementBetween(row, after), leaseId })
  desk.leases.set(leaseId, after)
  desk.changed.add(leaseId)
  return { leaseId, expiresInMs: alive ? leaseTtlMs : 0, recall: isRecalled(book, windows) }
}

/**
 * Whether a run may report here: the gateway's newest, for itself and for those before it by what its journal holds; an
 * older one that is still there for its own leases only. All it can do is to say that it spent more and keeps less. A
 * lease that was never granted is nobody's: its gateway asked, and did not hear.
 */
function mayReport(desk: Desk, { gatewayId, body }: SettleRequest): boolean {
  if (desk.incarnations.get(gatewayId) === body.incarnation) return true
  return body.leases.every(({ leaseId }) => {
    const row = desk.leases.get(leaseId)
    return row === undefined || (row.gatewayId === gatewayId && row.incarnation === body.incarnation)
  })
}

function answer(desk: Desk, request: SettleRequest): Outcome<SettleReply> {
  if (!mayReport(desk, request)) {
    return {
      refusal: new Refusal('conflict', { message: 'A newer run of this gateway reports for its leases.' }),
    }
  }
  const leases = request.body.leases.map((report) => takeReport(desk, report, request))
  const own = new Set(request.body.leases.map(({ leaseId }) => leaseId))
  const keys = [...desk.leases.values()].filter(({ id }) => own.has(id)).flatMap(windowsOf)
  const windows = new Set(keys.map((key) => desk.book.window(key)))
  return {
    reply: { leases, windows: [...windows].map((window) => describeWindow(window, desk.book.nowMs)) },
  }
}

/** The settlements of a request: those that move money by themselves, or all others. */
function settlementsOf({ body }: SettleRequest, withOverrun: boolean): NewSettlement[] {
  return body.settlements
    .map(({ hold, actual, overrun, ...rest }) => ({
      ...{ ...rest, hold: BigInt(hold), actual: BigInt(actual), overrun: BigInt(overrun) },
    }))
    .filter(({ overrun }) => overrun > 0n === withOverrun)
}

/**
 * Stores what explains the sums that leases report. It moves no money, so it needs no lock and goes beside everything
 * else; should the report itself fail, its repetition finds these rows there.
 * @throws Refusal `invalid_request` for sums that cannot be.
 */
export async function storeExplanation(tools: LedgerTools, request: SettleRequest): Promise<void> {
  checkSums(request)
  await insertSettlements(tools.db, request, settlementsOf(request, false))
}

/** Stores attempts that were billed beyond their holds. Gives by how much, by lease. */
async function storeOverruns(
  tx: Transaction,
  requests: readonly SettleRequest[],
): Promise<Map<string, bigint>> {
  const sums = new Map<string, bigint>()
  for (const request of requests) {
    const added = await insertSettlements(tx, request, settlementsOf(request, true))
    for (const [leaseId, overrun] of added) sums.set(leaseId, (sums.get(leaseId) ?? 0n) + overrun)
  }
  return sums
}

async function openDesk(
  tx: Transaction,
  tools: LedgerTools,
  requests: readonly SettleRequest[],
): Promise<{ desk: Desk; overruns: Map<string, bigint> }> {
  const organisationId = requests[0]?.organisationId ?? ''
  const overruns = await storeOverruns(tx, requests)
  const reported = requests.flatMap(({ body }) => body.leases.map(({ leaseId }) => leaseId))
  const found = await loadLeases(tx, organisationId, [...new Set([...reported, ...overruns.keys()])])
  const { book, leases } = await openLeases(tx, { organisationId, clock: tools.clock }, found)
  const incarnations = await loadIncarnations(
    tx,
    requests.map(({ gatewayId }) => gatewayId),
  )
  const desk = {
    book,
    leases: new Map(leases.map((row) => [row.id, row])),
    changed: new Set<string>(),
    never: new Map<string, LeaseRow>(),
    incarnations,
  }
  return { desk, overruns }
}

/**
 * Takes reports of leases, and overruns, in one transaction. Repeated ones change nothing, and the order does not
 * matter. All requests are of one organisation, and `storeExplanation` has seen them.
 */
export async function takeReports(
  tools: LedgerTools,
  requests: readonly SettleRequest[],
): Promise<Outcome<SettleReply>[]> {
  return tools.db.transaction(async (tx) => {
    const { desk, overruns } = await openDesk(tx, tools, requests)
    const outcomes = requests.map((request) => answer(desk, request))
    for (const [leaseId, overrun] of overruns) {
      const row = desk.leases.get(leaseId)
      for (const key of row === undefined ? [] : windowsOf(row)) {
        desk.book.move(desk.book.window(key), 'overrun', { ...still, overrun, leaseId })
      }
    }
    await desk.book.flush()
    await insertLeases(tx, [...desk.never.values()])
    await updateLeases(
      tx,
      [...desk.changed].flatMap((id) => desk.leases.get(id) ?? []),
    )
    return outcomes
  })
}
