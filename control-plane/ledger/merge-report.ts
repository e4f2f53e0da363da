/** What the ledger keeps of a lease that reports can change. */
export interface LeaseStand {
  readonly amount: bigint
  readonly settled: bigint
  readonly late: bigint
  readonly state: 'active' | 'stranded' | 'closed'
}
export interface Movement {
  readonly settled: bigint
  readonly leased: bigint
  readonly stranded: bigint
  readonly overrun: bigint
}
export const still: Movement = { settled: 0n, leased: 0n, stranded: 0n, overrun: 0n }

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b)
const most = (a: bigint, b: bigint): bigint => (a > b ? a : b)

/** What moves in each window of a lease when it goes from one stand to another. */
export function movementBetween(before: LeaseStand, after: LeaseStand): Movement {
  const rest = (stand: LeaseStand, state: LeaseStand['state']): bigint =>
    stand.state === state ? stand.amount - stand.settled : 0n
  return {
    settled: after.settled - before.settled,
    leased: rest(after, 'active') - rest(before, 'active'),
    stranded: rest(after, 'stranded') - rest(before, 'stranded'),
    overrun: after.late - before.late,
  }
}

/**
 * A lease with a report taken in: the least amount and the most settled that was ever reported, so that any order and
 * any number of repetitions give the same. Spending that comes to light after the rest was given to others is `late`.
 * @param byHolder whether the run that holds the lease says so; it alone brings a stranded lease back to life.
 */
export function mergeReport(
  lease: LeaseStand,
  report: { readonly amount: bigint; readonly settled: bigint; readonly final: boolean },
  byHolder: boolean,
): LeaseStand {
  const amount = least(lease.amount, most(report.amount, lease.settled))
  const known = most(lease.settled + lease.late, report.settled)
  const settled = least(known, amount)
  if (lease.state === 'closed') {
    // The rest is gone: what was settled beyond it is over the limit, whatever the limit has left.
    const late = most(lease.late, report.settled - lease.settled)
    return { ...lease, late }
  }
  if (report.final) return { amount: settled, settled, late: known - settled, state: 'closed' }
  const state = byHolder ? 'active' : lease.state
  return { amount, settled, late: known - settled, state }
}
