import { type LeaseAnswer, type LeaseWish, Refusal } from '@signalbox/sdk/contract'
import type { Transaction } from '../db/connect.ts'
import {
  countLiveGateways,
  insertLeases,
  type LeaseRow,
  loadIncarnations,
  loadLeases,
  lockLeases,
  updateLeases,
  windowsOf,
} from '../stores/leases.ts'
import { type Book, type OpenWindow, openBook } from '../stores/ledger-book.ts'
import { movementBetween, still } from './merge-report.ts'
import { grantableOf, sliceOf } from './slice.ts'
import {
  describeWindow,
  type LeaseReply,
  type LeaseRequest,
  type LedgerTools,
  leaseAmountMax,
  leaseTtlMs,
  type Outcome,
} from './terms.ts'

/** What the wishes of one transaction are answered from. */
export interface Counter {
  readonly book: Book
  readonly current: ReadonlyMap<string, OpenWindow>
  readonly liveGateways: number
  /** Leases that these wishes have made before: a lost reply is asked for again. */
  readonly known: Map<string, LeaseRow>
  readonly added: LeaseRow[]
  readonly revived: Map<string, LeaseRow>
}

const refused = (leaseId: string, refusedBy?: NonNullable<LeaseAnswer['refusedBy']>): LeaseAnswer => ({
  ...{ leaseId, granted: '0', expiresInMs: 0 },
  ...(refusedBy === undefined ? {} : { refusedBy }),
})

/** The lease of a wish whose sender will not take it any more. */
export function neverGranted(
  id: string,
  of: Pick<LeaseRow, 'organisationId' | 'gatewayId' | 'incarnation'>,
  nowMs: number,
): LeaseRow {
  const nothing = { granted: 0n, amount: 0n, settled: 0n, late: 0n, voided: 0n, state: 'closed' as const }
  return { id, ...of, budgetIds: [], windowStarts: [], ...nothing, createdMs: nowMs, expiresMs: nowMs }
}

/** The lease that this id has already. A stranded one comes back to life: its holder asks. */
function repeat(counter: Counter, row: LeaseRow, request: LeaseRequest): LeaseAnswer {
  if (
    row.gatewayId !== request.gatewayId ||
    row.incarnation !== request.body.incarnation ||
    row.state === 'closed'
  ) {
    return refused(row.id)
  }
  const alive: LeaseRow = { ...row, state: 'active', expiresMs: counter.book.nowMs + leaseTtlMs }
  for (const key of windowsOf(row)) {
    const by = { ...movementBetween(row, alive), leaseId: row.id }
    counter.book.move(counter.book.window(key), 'recover', by)
  }
  counter.known.set(row.id, alive)
  counter.revived.set(row.id, alive)
  return { leaseId: row.id, granted: String(row.granted), expiresInMs: leaseTtlMs }
}

/** The first window that cannot give what is needed, in the order of the wish. */
function findRefusal(windows: readonly OpenWindow[], need: bigint): OpenWindow | undefined {
  return windows.find((window) => window.budget.mode === 'hard' && grantableOf(window) < need)
}

/** Answers one wish, on the counter's book alone: nothing is written before that is flushed. */
export function answerWish(counter: Counter, wish: LeaseWish, request: LeaseRequest): LeaseAnswer {
  const { book, current } = counter
  const known = counter.known.get(wish.leaseId)
  if (known !== undefined) return repeat(counter, known, request)
  const unknown = wish.budgets.find((id) => !book.budgets.has(id))
  if (unknown !== undefined) {
    return refused(wish.leaseId, { budgetId: unknown, available: '0', resetsAtMs: null })
  }
  const windows = wish.budgets.flatMap((id) => current.get(id) ?? [])
  const need = BigInt(wish.need)
  if (need > leaseAmountMax || new Set(windows.map(({ budget }) => budget.unit)).size > 1) {
    return refused(wish.leaseId)
  }
  const short = findRefusal(windows, need)
  if (short !== undefined) {
    book.refuse(short)
    const { budgetId, endMs: resetsAtMs } = short
    return refused(wish.leaseId, { budgetId, available: String(grantableOf(short)), resetsAtMs })
  }
  for (const window of windows) {
    if (window.budget.mode !== 'hard' && grantableOf(window) < need) book.refuse(window)
  }
  return deduct(counter, { wish, request, windows })
}

function deduct(
  { book, added, known, liveGateways }: Counter,
  given: { wish: LeaseWish; request: LeaseRequest; windows: readonly OpenWindow[] },
): LeaseAnswer {
  const { wish, request } = given
  const windows = given.windows.toSorted((a, b) => (a.budgetId < b.budgetId ? -1 : 1))
  const [need, wanted] = [BigInt(wish.need), BigInt(wish.want)]
  const want = wanted > leaseAmountMax ? leaseAmountMax : wanted
  const hard = windows.filter(({ budget }) => budget.mode === 'hard').map(grantableOf)
  const least = hard.reduce<bigint | undefined>((a, b) => (a === undefined || b < a ? b : a), undefined)
  const most = want > need ? want : need
  // Nothing bounds what soft budgets hand out; `findRefusal` has seen that the hard ones have what is needed.
  const amount = least === undefined ? most : (sliceOf({ need, want }, least, liveGateways) ?? need)
  const row: LeaseRow = {
    id: wish.leaseId,
    organisationId: book.organisationId,
    gatewayId: request.gatewayId,
    incarnation: request.body.incarnation,
    budgetIds: windows.map(({ budgetId }) => budgetId),
    windowStarts: windows.map(({ startMs }) => startMs),
    ...{ granted: amount, amount, settled: 0n, late: 0n, voided: 0n, state: 'active' as const },
    createdMs: book.nowMs,
    expiresMs: book.nowMs + leaseTtlMs,
  }
  for (const window of windows) book.move(window, 'grant', { ...still, leased: amount, leaseId: row.id })
  added.push(row)
  known.set(row.id, row)
  return { leaseId: row.id, granted: String(amount), expiresInMs: leaseTtlMs }
}

/** Locks what wishes concern. */
export async function openCounter(
  tx: Transaction,
  tools: LedgerTools,
  { organisationId, requests }: { organisationId: string; requests: readonly LeaseRequest[] },
): Promise<Counter> {
  const wishes = requests.flatMap(({ body }) => body.wishes)
  const repeated = await loadLeases(
    tx,
    organisationId,
    wishes.map(({ leaseId }) => leaseId),
  )
  const budgetIds = [...wishes.flatMap(({ budgets }) => budgets), ...repeated.flatMap((row) => row.budgetIds)]
  const book = await openBook(tx, { organisationId, budgetIds, clock: tools.clock })
  const asked = new Set(wishes.flatMap(({ budgets }) => budgets))
  // A deleted budget limits nothing; a gateway may not have heard of it yet.
  const living = [...book.budgets.values()].filter(({ id, deletedMs }) => asked.has(id) && deletedMs === null)
  const current = await book.openCurrent(living.map(({ id }) => id))
  const locked = await lockLeases(
    tx,
    repeated.map(({ id }) => id),
  )
  await book.openWindows(locked.flatMap(windowsOf))
  const liveGateways = await countLiveGateways(tx, organisationId, book.nowMs)
  const known = new Map(locked.map((row) => [row.id, row]))
  return { book, current, liveGateways, known, added: [], revived: new Map() }
}

/**
 * Answers wishes for leases in one transaction, in the order in which they came: each is deducted from the running
 * windows of all its budgets, or changes nothing. All requests are of one organisation.
 */
export async function grantLeases(
  tools: LedgerTools,
  requests: readonly LeaseRequest[],
): Promise<Outcome<LeaseReply>[]> {
  return tools.db.transaction(async (tx) => {
    const incarnations = await loadIncarnations(
      tx,
      requests.map(({ gatewayId }) => gatewayId),
    )
    const isNewest = ({ gatewayId, body }: LeaseRequest): boolean =>
      incarnations.get(gatewayId) === body.incarnation
    const organisationId = requests[0]?.organisationId ?? ''
    const counter = await openCounter(tx, tools, { organisationId, requests: requests.filter(isNewest) })
    const answered = requests.map((request) =>
      isNewest(request)
        ? request.body.wishes.map((wish) => answerWish(counter, wish, request))
        : new Refusal('conflict', {
            message: 'A newer run of this gateway has started: leases are its own.',
          }),
    )
    await counter.book.flush()
    await insertLeases(tx, counter.added)
    await updateLeases(tx, [...counter.revived.values()])
    return answered.map((leases, index) => {
      if (leases instanceof Refusal) return { refusal: leases }
      const asked = new Set(requests[index]?.body.wishes.flatMap(({ budgets }) => budgets))
      const windows = [...counter.current.values()].filter(({ budgetId }) => asked.has(budgetId))
      return {
        reply: { leases, windows: windows.map((window) => describeWindow(window, counter.book.nowMs)) },
      }
    })
  })
}
