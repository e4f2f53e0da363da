import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  type LeaseReport,
  leasesPerRequestMax,
  type SettlementReport,
  settlementsPerReportMax,
} from '@signalbox/sdk/contract'
import type { Logger } from '@signalbox/sdk/node'
import { deliverReport } from './deliver-report.ts'
import type { LedgerLink } from './ledger-link.ts'
import type { RefusedReports } from './refused-reports.ts'

/** What a dead incarnation's journal proves. */
export interface RecoveredHolds {
  readonly incarnation: string
  readonly leases: readonly LeaseReport[]
  readonly settlements: readonly SettlementReport[]
}

const suffix = '.holds'
/** What `HoldJournal` writes. */
const lineForm =
  /^(B \S+|[LK] \S+( \d+)?|F \S+|R \S+ \d+ \S+|H \S+ \d+ \S+ \d+|S \S+ \d+ \S+ \d+ \d+ \d+ \w+ \d+)$/

function parseSettlement(words: readonly string[]): SettlementReport | undefined {
  const [, callId, attempt, leaseId, hold, actual, overrun, evidence, timeMs] = words
  if (timeMs === undefined || callId === undefined || leaseId === undefined) return undefined
  if (hold === undefined || actual === undefined || overrun === undefined) return undefined
  if (evidence !== 'reported' && evidence !== 'estimated' && evidence !== 'hold') return undefined
  const ids = { callId, attempt: Number(attempt), leaseId }
  return { ...ids, hold, actual, overrun, evidence, timeMs: Number(timeMs) }
}

/**
 * Reads a journal. Holds without a settlement are settled at their amount, as `estimated`; the rest of each lease is
 * free. Undefined where the journal is of another boot, and so may lack its last lines, or
 * is not what was written.
 */
export function readHoldJournal(
  text: string,
  of: { readonly incarnation: string; readonly bootId: string; readonly nowMs: number },
): RecoveredHolds | undefined {
  const lines = text.split('\n').slice(0, -1)
  if (lines.shift() !== `B ${of.bootId}`) return undefined
  // With a line that makes no sense it is no evidence.
  if (!lines.every((line) => lineForm.test(line))) return undefined
  const leases = new Map<string, bigint>()
  const holds = new Map<string, SettlementReport>()
  const closed = new Set<string>()
  let rows: SettlementReport[] = []
  for (const line of lines) {
    const words = line.split(' ')
    const [kind, first = '', second = '', third = '', fourth = ''] = words
    if (kind === 'L') leases.set(first, BigInt(second))
    else if (kind === 'F') closed.add(first)
    else if (kind === 'K') rows = rows.slice(Number(first))
    else if (kind === 'R') holds.delete(`${first} ${second} ${third}`)
    else if (kind === 'H') {
      const ids = { callId: first, attempt: Number(second), leaseId: third }
      const spent = { hold: fourth, actual: fourth, overrun: '0' }
      holds.set(`${first} ${second} ${third}`, { ...ids, ...spent, evidence: 'estimated', timeMs: of.nowMs })
    } else if (kind === 'S') {
      const row = parseSettlement(words)
      if (row === undefined) continue
      rows.push(row)
      holds.delete(`${first} ${second} ${third}`)
      // What was beyond the hold came from no lease.
      leases.set(third, (leases.get(third) ?? 0n) + BigInt(row.actual) - BigInt(row.overrun))
    }
  }
  for (const row of holds.values()) {
    rows.push(row)
    leases.set(row.leaseId, (leases.get(row.leaseId) ?? 0n) + BigInt(row.actual))
  }
  const reports = [...leases].filter(([id]) => !closed.has(id))
  return {
    incarnation: of.incarnation,
    settlements: rows,
    leases: reports.map(([leaseId, settled]) => {
      return { leaseId, amount: String(settled), settled: String(settled), final: true }
    }),
  }
}

export interface RecoverOptions {
  readonly folder: string
  readonly incarnation: string
  readonly bootId: string | undefined
  readonly nowMs: number
  readonly link: LedgerLink
  readonly refused: RefusedReports
  readonly log: Logger
  readonly signal: AbortSignal
}

/**
 * Reports for incarnations that died on this boot of the machine. A journal goes when the ledger has what it says;
 * one of another boot goes at once: its leases stay stranded until somebody decides.
 */
export async function recoverHolds(options: RecoverOptions): Promise<number> {
  const { folder, bootId, nowMs, log } = options
  let recovered = 0
  for (const name of readdirSync(folder)) {
    const incarnation = name.slice(0, -suffix.length)
    if (!name.endsWith(suffix) || incarnation === options.incarnation) continue
    const path = join(folder, name)
    const text = readFileSync(path, 'utf8')
    const found = bootId === undefined ? undefined : readHoldJournal(text, { incarnation, bootId, nowMs })
    if (found === undefined) log.warn({ incarnation }, 'the holds of an earlier run are left to the ledger')
    else await report(found, options)
    rmSync(path, { force: true })
    if (found !== undefined) recovered++
  }
  return recovered
}

async function report(found: RecoveredHolds, { link, refused, signal, log }: RecoverOptions): Promise<void> {
  const leases = [...found.leases]
  const settlements = [...found.settlements]
  const { incarnation } = found
  const open = settlements.filter(({ evidence }) => evidence === 'estimated').length
  log.info({ incarnation, leases: leases.length, open }, 'reporting the holds of an earlier run')
  while (leases.length > 0 || settlements.length > 0) {
    const part = {
      settlements: settlements.splice(0, settlementsPerReportMax),
      // A lease is closed after all that was settled in it is told.
      leases: settlements.length > 0 ? [] : leases.splice(0, leasesPerRequestMax),
    }
    const { again } = await deliverReport(part, {
      ...{ incarnation, refused },
      send: (report) => link.settle({ incarnation, ...report }, signal),
    })
    if (again.size > 0) throw new Error(`the ledger refuses ${again.size} reports of an earlier run`)
  }
}
