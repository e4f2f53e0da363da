import type { Transaction } from '../db/connect.ts'
import { type LeaseRow, lockLeases, windowsOf } from '../stores/leases.ts'
import { type Book, type Clock, openBook } from '../stores/ledger-book.ts'

/** Leases as they are now, locked, and the book of all their budgets with the windows that they are of. */
export interface OpenLeases {
  readonly book: Book
  readonly leases: readonly LeaseRow[]
}

/** Opens the book of leases that were found. Budgets are locked before leases, as everywhere. */
export async function openLeases(
  tx: Transaction,
  { organisationId, clock }: { readonly organisationId: string; readonly clock: Clock },
  found: readonly LeaseRow[],
): Promise<OpenLeases> {
  const book = await openBook(tx, { organisationId, budgetIds: found.flatMap((row) => row.budgetIds), clock })
  const leases = await lockLeases(
    tx,
    found.map(({ id }) => id),
  )
  await book.openWindows(leases.flatMap(windowsOf))
  return { book, leases }
}
