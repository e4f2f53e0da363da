import type { WindowBalance } from '@signalbox/sdk/contract'
import {
  isLedgersFault,
  isNotUnderstood,
  isReportRefused,
  type Report,
  type SettleReply,
} from './ledger-link.ts'
import type { RefusedReports } from './refused-reports.ts'

/** Refused reports that are looked for in one delivery; where there are more, it is not they that are wrong. */
const refusedMax = 32
/** Failures on single leases or attempts, with nothing taken, after which the fault is the ledger's. */
const failuresMax = 4

export interface DeliverTools {
  readonly send: (report: Report) => Promise<SettleReply>
  readonly refused: RefusedReports
  readonly incarnation: string
}
/** What became of the parts of a report. What is in neither list has been taken. */
export interface Delivered {
  readonly leases: SettleReply['leases']
  readonly windows: readonly WindowBalance[]
  /** Refused, and to be sent again. */
  readonly again: ReadonlySet<object>
  /** Refused too often. */
  readonly aside: ReadonlySet<object>
}
interface Refusal {
  readonly report: Report
  readonly error: unknown
}

const sizeOf = ({ leases, settlements }: Report): number => leases.length + settlements.length
const partsOf = ({ leases, settlements }: Report): object[] => [...leases, ...settlements]

function halvesOf({ leases, settlements }: Report): Report[] {
  const half = Math.ceil((leases.length + settlements.length) / 2)
  const first = leases.slice(0, half)
  const rows = settlements.slice(0, half - first.length)
  return [
    { leases: first, settlements: rows },
    { leases: leases.slice(first.length), settlements: settlements.slice(rows.length) },
  ]
}

/**
 * Sends a report to the ledger. Where it is refused the halves are sent by themselves, down to the lease or attempt
 * that is the reason: one bad report holds up no other.
 * @throws Error where the ledger does not answer, or answers nothing at all but that it has failed.
 */
export async function deliverReport(report: Report, tools: DeliverTools): Promise<Delivered> {
  const replies: SettleReply[] = []
  const refusals: Refusal[] = []
  const again = new Set<object>()
  const { incarnation, refused } = tools
  const isForeign = ({ report: part, error }: Refusal): boolean =>
    isNotUnderstood(error, { incarnation, ...part })
  const isLedgers = (refusal: Refusal): boolean => isLedgersFault(refusal.error) || isForeign(refusal)
  const giveUp = (refusal: Refusal): never => {
    if (isForeign(refusal)) refused.defer(refusal.error)
    throw refusal.error
  }
  const deliver = async (part: Report): Promise<void> => {
    if (refusals.length >= refusedMax) {
      for (const each of partsOf(part)) again.add(each)
      return
    }
    try {
      replies.push(await tools.send(part))
    } catch (error) {
      if (!isReportRefused(error)) throw error
      // A few failures may be the reports' own fault; more, with nothing taken, are the ledger's.
      const refusal = { report: part, error }
      if (replies.length === 0 && refusals.length >= failuresMax && isLedgers(refusal)) giveUp(refusal)
      if (sizeOf(part) > 1) for (const half of halvesOf(part)) await deliver(half)
      else refusals.push(refusal)
    }
  }
  await deliver(report)
  const aside = new Set<object>()
  for (const refusal of refusals) {
    if (replies.length === 0 && isLedgers(refusal)) giveUp(refusal)
    const waits = isForeign(refusal)
    if (waits) refused.defer(refusal.error)
    const isAside = !waits && refused.refuse(refusal.report, refusal.error, incarnation)
    for (const each of partsOf(refusal.report)) (isAside ? aside : again).add(each)
  }
  const [leases, windows] = [replies.flatMap((each) => each.leases), replies.flatMap((each) => each.windows)]
  return { leases, windows, again, aside }
}
