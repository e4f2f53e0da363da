import type { Logger } from '@signalbox/sdk/node'
import type { Transaction } from '../db/connect.ts'
import { findExpired, type LeaseRow, lockLeases, updateLeases, windowsOf } from '../stores/leases.ts'
import { openBook } from '../stores/ledger-book.ts'
import { movementBetween } from './merge-report.ts'
import type { LedgerTools } from './terms.ts'

/** How often it is looked for leases whose holder is silent. */
export const strandIntervalMs = 5000
const leasesPerSweepMax = 500

async function strandSome(tx: Transaction, tools: LedgerTools, organisationId: string): Promise<number> {
  const before = await tools.clock(tx)
  const expired = (await findExpired(tx, before, leasesPerSweepMax)).filter(
    (row) => row.organisationId === organisationId,
  )
  const budgetIds = expired.flatMap((row) => row.budgetIds)
  const book = await openBook(tx, { organisationId, budgetIds, clock: tools.clock })
  const locked = await lockLeases(
    tx,
    expired.map(({ id }) => id),
  )
  // Its holder may have reported while this waited for the lock.
  const silent = locked.filter((row) => row.state === 'active' && row.expiresMs < book.nowMs)
  await book.openWindows(silent.flatMap(windowsOf))
  const stranded = silent.map((row): LeaseRow => ({ ...row, state: 'stranded' }))
  silent.forEach((row, index) => {
    const after = stranded[index] ?? row
    for (const key of windowsOf(row)) {
      book.move(book.window(key), 'strand', { ...movementBetween(row, after), leaseId: row.id })
    }
  })
  await book.flush()
  await updateLeases(tx, stranded)
  return stranded.length
}

/**
 * What leases hold whose holder was not heard of in time becomes stranded: nobody knows whether it was spent. It is
 * never handed out again without evidence, so a wrong clock only delays its return.
 */
export async function strandExpired(tools: LedgerTools): Promise<number> {
  const expired = await tools.db.transaction(async (tx) =>
    findExpired(tx, await tools.clock(tx), leasesPerSweepMax),
  )
  let count = 0
  for (const organisationId of new Set(expired.map((row) => row.organisationId))) {
    count += await tools.db.transaction((tx) => strandSome(tx, tools, organisationId))
  }
  return count
}

/** Looks for silent holders now and then; gives how to stop, which waits for a look that runs. */
export function startStranding(tools: {
  readonly ledger: { strandExpired(): Promise<number> }
  readonly log: Logger
}): () => Promise<void> {
  let running: Promise<unknown> | undefined
  const look = (): void => {
    if (running !== undefined) return
    running = tools.ledger
      .strandExpired()
      .then((count) => {
        if (count > 0) tools.log.warn({ leases: count }, 'leases of silent gateways are stranded')
      })
      .catch((error: unknown) => tools.log.warn({ err: error }, 'silent gateways could not be looked for'))
      .finally(() => {
        running = undefined
      })
  }
  const timer = setInterval(look, strandIntervalMs)
  timer.unref()
  return async () => {
    clearInterval(timer)
    await running
  }
}
