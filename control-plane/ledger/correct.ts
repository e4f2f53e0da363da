import { Refusal } from '@signalbox/sdk/contract'
import type { Transaction } from '../db/connect.ts'
import {
  findOpenLeases,
  findSettlement,
  insertVoid,
  type LeaseRow,
  loadLeases,
  type SettlementRow,
  updateLeases,
  windowsOf,
} from '../stores/leases.ts'
import { type Clock, openBook } from '../stores/ledger-book.ts'
import { movementBetween, still } from './merge-report.ts'
import { openLeases } from './open-leases.ts'
import { availableOf } from './slice.ts'

/** Who corrects what. */
export interface Correction {
  readonly organisationId: string
  readonly actor: string
  readonly clock: Clock
}

/**
 * Gives what stranded leases of a budget hold free again, in all their budgets. Should a holder report spending after
 * all, that is overrun. Gives the leases and the sum.
 */
export async function releaseStranded(
  tx: Transaction,
  correction: Correction,
  wanted: { readonly budgetId: string; readonly leases: readonly string[] | undefined },
): Promise<{ leases: string[]; released: bigint }> {
  const open = await findOpenLeases(tx, wanted.budgetId)
  const named = open.filter(({ id }) => wanted.leases === undefined || wanted.leases.includes(id))
  const { book, leases } = await openLeases(tx, correction, named)
  const stranded = leases.filter(({ state }) => state === 'stranded')
  if (stranded.length === 0) {
    throw new Refusal('conflict', { message: 'None of these leases is stranded.' })
  }
  const closed = stranded.map((row): LeaseRow => ({ ...row, amount: row.settled, state: 'closed' }))
  let released = 0n
  stranded.forEach((row, index) => {
    released += row.amount - row.settled
    const by = { ...movementBetween(row, closed[index] ?? row), leaseId: row.id, actor: correction.actor }
    for (const key of windowsOf(row)) book.move(book.window(key), 'release', by)
  })
  await book.flush()
  await updateLeases(tx, closed)
  return { leases: stranded.map(({ id }) => id), released }
}

/**
 * Takes the overrun of the running window as settled, as far as the limit has room for it: the rest keeps it closed.
 * @throws Refusal `conflict` where there is no overrun, or no room.
 */
export async function settleOverrun(
  tx: Transaction,
  correction: Correction,
  budgetId: string,
): Promise<bigint> {
  const { organisationId, actor, clock } = correction
  const book = await openBook(tx, { organisationId, budgetIds: [budgetId], clock })
  const window = (await book.openCurrent([budgetId])).get(budgetId)
  if (window === undefined || window.overrun === 0n) {
    throw new Refusal('conflict', { message: 'The running window has no overrun.' })
  }
  const room = availableOf(window)
  const moved = room < window.overrun ? room : window.overrun
  if (moved <= 0n) {
    throw new Refusal('conflict', {
      message: 'The limit has no room for the overrun: raise it, or override it.',
    })
  }
  book.move(window, 'settleOverrun', { ...still, settled: moved, overrun: -moved, actor })
  await book.flush()
  return moved
}

/** Takes what an attempt cost back from all budgets of its lease. The settlement stays, with a note beside it. */
export async function voidSettlement(
  tx: Transaction,
  correction: Correction,
  wanted: Pick<SettlementRow, 'callId' | 'attempt' | 'leaseId'> & { readonly note: string },
): Promise<{ amount: bigint; overrun: bigint; budgets: string[] }> {
  const { organisationId, actor } = correction
  const found = await loadLeases(tx, organisationId, [wanted.leaseId])
  const { book, leases } = await openLeases(tx, correction, found)
  const row = await findSettlement(tx, organisationId, wanted)
  const [lease] = leases
  if (row === undefined || lease === undefined) {
    throw new Refusal('not_found', { message: 'There is no settlement of this call, attempt and lease.' })
  }
  if (row.voided) throw new Refusal('conflict', { message: 'The settlement is void already.' })
  const amount = row.actual - row.overrun
  if (amount > lease.settled - lease.voided) {
    throw new Refusal('conflict', {
      message: 'Its lease has not reported this spending yet: try again in a moment.',
    })
  }
  for (const key of windowsOf(lease)) {
    const window = book.window(key)
    // What was taken as settled since is in the other sum by now.
    const overrun = row.overrun < window.overrun ? row.overrun : window.overrun
    const settled = -(amount + row.overrun - overrun)
    book.move(window, 'void', { ...still, settled, overrun: -overrun, leaseId: lease.id, actor })
  }
  await book.flush()
  await updateLeases(tx, [{ ...lease, voided: lease.voided + amount }])
  const { callId, attempt, leaseId, note } = wanted
  await insertVoid(tx, { organisationId, callId, attempt, leaseId, note, by: actor, timeMs: book.nowMs })
  return { amount, overrun: row.overrun, budgets: [...lease.budgetIds] }
}
