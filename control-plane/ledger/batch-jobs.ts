import {
  type BatchChange,
  type BodyOf,
  type batchOperations,
  Refusal,
  type ReplyOf,
} from '@signalbox/sdk/contract'
import type { Transaction } from '../db/connect.ts'
import { type BatchRow, findBatch, insertBatch, keepBatch, updateBatch } from '../stores/batches.ts'
import {
  insertLeases,
  insertSettlements,
  type LeaseRow,
  loadIncarnations,
  loadLeases,
  updateLeases,
  windowsOf,
} from '../stores/leases.ts'
import { type Book, openBook } from '../stores/ledger-book.ts'
import type { StoredScope } from '../stores/stored-things.ts'
import { answerWish, neverGranted, openCounter } from './grant.ts'
import { mergeReport, movementBetween, still } from './merge-report.ts'
import { openLeases } from './open-leases.ts'
import type { LedgerTools } from './terms.ts'

type OpenBody = BodyOf<(typeof batchOperations)['gatewayOpenBatch']>
type OpenReply = ReplyOf<(typeof batchOperations)['gatewayOpenBatch']>
type TellBody = BodyOf<(typeof batchOperations)['gatewayTellBatch']>
/** Who speaks of a batch. */
export interface FromBatchGateway extends StoredScope {
  readonly gatewayId: string
}
type Ended = Extract<BatchChange, { type: 'ended' }>

/** Whether a provider has a batch is known by then; else what it keeps is stranded. */
const openingMs = 30 * 60_000
/** Providers end a batch after 24 h; what is not metered after as long again is stranded until it is. */
const runningMs = 48 * 3_600_000
/** When a new batch is looked at first. */
const firstLookMs = 15_000

/**
 * Keeps what a batch may cost in all its budgets, or changes nothing. The leases are the ledger's usual ones, but that
 * no run of a gateway has to be heard of for them: they last as long as providers take.
 * @throws Refusal `conflict` where the run is not the gateway's newest.
 */
export async function openBatch(
  tools: LedgerTools,
  from: FromBatchGateway,
  { incarnation, job, wishes }: OpenBody,
): Promise<OpenReply> {
  const { organisationId, environment, gatewayId } = from
  return await tools.db.transaction(async (tx) => {
    const incarnations = await loadIncarnations(tx, [gatewayId])
    if (incarnations.get(gatewayId) !== incarnation) {
      throw new Refusal('conflict', {
        message: 'A newer run of this gateway has started: batches are opened by that.',
      })
    }
    const request = {
      organisationId,
      gatewayId,
      body: { incarnation, wishes: wishes.map(({ unit: _, ...wish }) => wish) },
    }
    const counter = await openCounter(tx, tools, { organisationId, requests: [request] })
    const known = await findBatch(tx, from, job.batchId)
    const leases = request.body.wishes.map((wish) => answerWish(counter, wish, request))
    const isGranted = leases.every(({ refusedBy, granted }, at) => {
      return refusedBy === undefined && (granted !== '0' || wishes[at]?.need === '0')
    })
    if (!isGranted) {
      for (const { refusedBy } of leases) {
        if (refusedBy !== undefined) await noteRefusal(tx, tools, organisationId, refusedBy.budgetId)
      }
      return { opened: false, leases }
    }
    await counter.book.flush()
    const { nowMs } = counter.book
    const lasting = (row: LeaseRow): LeaseRow => ({ ...row, expiresMs: nowMs + openingMs })
    await insertLeases(tx, counter.added.map(lasting))
    await updateLeases(tx, [...counter.revived.values()].map(lasting))
    if (known === undefined) {
      await insertBatch(tx, {
        ...{ id: job.batchId, organisationId, environment, gatewayId, job, state: 'opening' },
        leases: wishes.map(({ leaseId, unit }) => ({ leaseId, unit })),
        ...{ createdMs: nowMs, nextMs: nowMs + firstLookMs },
      })
    }
    return { opened: true, leases }
  })
}

/** What was moved for the other wishes is forgotten with its book; that a budget refused stays. */
async function noteRefusal(
  tx: Transaction,
  tools: LedgerTools,
  organisationId: string,
  budgetId: string,
): Promise<void> {
  const book = await openBook(tx, { organisationId, budgetIds: [budgetId], clock: tools.clock })
  if (!book.budgets.has(budgetId)) return
  const window = (await book.openCurrent([budgetId])).get(budgetId)
  if (window !== undefined) book.refuse(window)
  await book.flush()
}

/** Takes the leases of a batch from where they are to where `change` says, in all their budgets. */
async function changeLeases(
  tx: Transaction,
  tools: LedgerTools,
  row: BatchRow,
  change: (lease: LeaseRow, book: Book) => { readonly from: LeaseRow; readonly to: LeaseRow },
): Promise<number> {
  const { organisationId } = row
  const found = await loadLeases(
    tx,
    organisationId,
    row.leases.map(({ leaseId }) => leaseId),
  )
  const { book, leases } = await openLeases(tx, { organisationId, clock: tools.clock }, found)
  const changed = leases.map((lease) => {
    const { from, to } = change(lease, book)
    const kind = lease.state === 'stranded' ? 'recover' : 'report'
    for (const key of windowsOf(lease)) {
      book.move(book.window(key), kind, { ...movementBetween(from, to), leaseId: lease.id })
    }
    return to
  })
  await book.flush()
  await updateLeases(tx, changed)
  return book.nowMs
}

/** Nothing limits what budgets that are not hard hand out: a batch that cost more than was likely is no overrun. */
function widened(lease: LeaseRow, settled: bigint, book: Book): LeaseRow {
  const isHard = lease.budgetIds.some((id) => book.budgets.get(id)?.mode === 'hard')
  if (isHard || settled <= lease.amount || lease.state === 'closed') return lease
  const more = settled - lease.amount
  const stranded = lease.state === 'stranded'
  for (const key of windowsOf(lease)) {
    const by = { ...still, [stranded ? 'stranded' : 'leased']: more, leaseId: lease.id }
    book.move(book.window(key), 'grant', by)
  }
  return { ...lease, amount: settled }
}

function settledLease(lease: LeaseRow, { settled }: Ended, book: Book) {
  const sum = BigInt(settled.find(({ leaseId }) => leaseId === lease.id)?.amount ?? '0')
  const from = widened(lease, sum, book)
  return { from, to: { ...from, ...mergeReport(from, { amount: sum, settled: sum, final: true }, true) } }
}

/** From now on it lasts as long as providers take. */
function startedLease(from: LeaseRow, { nowMs }: Book) {
  if (from.state === 'closed') return { from, to: from }
  return { from, to: { ...from, state: 'active' as const, expiresMs: nowMs + runningMs } }
}

/**
 * Takes news of a batch, and lines of it that were metered. Repeated ones change nothing.
 * @throws Refusal `not_found` for a batch that is not of this environment.
 */
export async function tellBatch(
  tools: LedgerTools,
  from: FromBatchGateway,
  body: TellBody,
): Promise<{ held: boolean }> {
  const row = (await findBatch(tools.db, from, body.batchId)) ?? (await giveUp(tools, from, body))
  if (row === undefined) return { held: false }
  await storeLines(tools, row, body)
  return { held: await takeChange(tools, row, body, from) }
}

/**
 * A batch that its gateway has given up before it was opened here: its leases are over before they are granted, so that
 * an opening that comes late keeps nothing. Gives the batch where it was opened meanwhile.
 * @throws Refusal `not_found` for other news of a batch that is not there.
 */
async function giveUp(
  tools: LedgerTools,
  from: FromBatchGateway,
  { batchId, incarnation, change }: TellBody,
): Promise<BatchRow | undefined> {
  if (change.type !== 'ended' || change.outcome !== 'refused') {
    throw new Refusal('not_found', { message: 'There is no such batch.' })
  }
  const nowMs = await tools.clock(tools.db)
  const of = { organisationId: from.organisationId, gatewayId: from.gatewayId, incarnation }
  const rows = change.settled.map(({ leaseId }) => neverGranted(leaseId, of, nowMs))
  try {
    await tools.db.transaction((tx) => insertLeases(tx, rows))
  } catch (error) {
    const opened = await findBatch(tools.db, from, batchId)
    const ids = rows.map(({ id }) => id)
    // Said twice, they are there already.
    const isKnown = (await loadLeases(tools.db, from.organisationId, ids)).length === ids.length
    if (opened === undefined && !isKnown) throw error
    return opened
  }
  return undefined
}

async function takeChange(
  tools: LedgerTools,
  row: BatchRow,
  { change, incarnation }: TellBody,
  { gatewayId }: FromBatchGateway,
): Promise<boolean> {
  const isOpening = row.state === 'opening' && row.gatewayId === gatewayId
  const isHolder = row.state === 'running' && row.holder === incarnation
  switch (change.type) {
    case 'started':
      if (isOpening) await start(tools, row, change.providerId)
      return isOpening
    case 'running': {
      const nowMs = await tools.clock(tools.db)
      const set = { nextMs: nowMs + change.againInMs, holder: null, heldUntilMs: null }
      if (isHolder) await updateBatch(tools.db, row.id, set)
      return isHolder
    }
    case 'metering':
      if (isHolder) await keepBatch(tools.db, row.id, await tools.clock(tools.db))
      return isHolder
    case 'ended': {
      const mayEnd = change.outcome === 'refused' ? isOpening : isHolder
      if (mayEnd) await end(tools, row, change)
      return mayEnd
    }
  }
}

async function start(tools: LedgerTools, row: BatchRow, providerId: string): Promise<void> {
  await tools.db.transaction(async (tx) => {
    const nowMs = await changeLeases(tx, tools, row, startedLease)
    await updateBatch(tx, row.id, { state: 'running', providerId, nextMs: nowMs + firstLookMs })
  })
}

async function end(tools: LedgerTools, row: BatchRow, change: Ended): Promise<void> {
  await tools.db.transaction(async (tx) => {
    const endedMs = await changeLeases(tx, tools, row, (lease, book) => settledLease(lease, change, book))
    const { outcome, metered } = change
    await updateBatch(tx, row.id, {
      state: 'ended',
      outcome,
      metered,
      endedMs,
      holder: null,
      heldUntilMs: null,
    })
  })
}

/** Stores what explains the sums of a batch, line by line; it moves no money. */
async function storeLines(tools: LedgerTools, row: BatchRow, { settlements }: TellBody): Promise<void> {
  const own = new Set(row.leases.map(({ leaseId }) => leaseId))
  const strange = settlements.find(({ leaseId, overrun }) => !own.has(leaseId) || overrun !== '0')
  if (strange !== undefined) {
    throw new Refusal('invalid_request', {
      message: `Call ${strange.callId}: lines of a batch are settled with its own leases, and without overruns.`,
      param: 'settlements',
    })
  }
  const rows = settlements.map(({ hold, actual, overrun: _, ...rest }) => {
    return { ...rest, hold: BigInt(hold), actual: BigInt(actual), overrun: 0n }
  })
  await insertSettlements(tools.db, row, rows)
}
