import { rowsOf } from '../backtest/counts.ts'
import type { Difference, SelfReplay } from '../backtest/tally.ts'

/** Calls of one kind, with the first of them. */
export interface ReportedCount {
  readonly what: string
  readonly calls: number
  readonly examples: readonly string[]
}
/** Whether recorded calls come out the same when they are decided again; the document of `replay --since --json`. */
export interface ReplayReport {
  /** Nothing came out different. */
  readonly ok: boolean
  readonly records: number
  /** Calls that ended before any policy was asked. */
  readonly undecided: number
  readonly decided: number
  readonly same: number
  readonly different: number
  readonly notReplayable: readonly ReportedCount[]
  /** Share of the decided calls that could be decided again; null where there are none. */
  readonly replayablePpm: number | null
  /** Calls by class of their facts: full, masked, digest, gone. */
  readonly factsClasses: Readonly<Record<string, number>>
  readonly engine: string
  readonly otherEngines: readonly ReportedCount[]
  readonly selections: SelfReplay['selections']
  readonly differentSelections: readonly ReportedCount[]
  /** The first ones. */
  readonly differences: readonly Difference[]
  /** Time of the first and the last record; null where there is none. */
  readonly sinceMs: number | null
  readonly untilMs: number | null
}

/** Rows of a table of counts, the most frequent first. */
export function reportedCounts(counts: SelfReplay['notReplayable']): ReportedCount[] {
  return rowsOf(counts).map(({ name, count, examples }) => ({ what: name, calls: count, examples }))
}

/** What a pass over records found. `engine`: digest of the one here. */
export function replayReport(self: SelfReplay, engine: string): ReplayReport {
  const { records, undecided, same, different, selections, differences } = self
  const decided = records - undecided
  const replayed = same + different
  return {
    ok: different === 0 && selections.different === 0,
    ...{ records, undecided, decided, same, different },
    notReplayable: reportedCounts(self.notReplayable),
    replayablePpm: decided === 0 ? null : Math.floor((replayed * 1_000_000) / decided),
    factsClasses: Object.fromEntries(rowsOf(self.classes).map(({ name, count }) => [name, count])),
    engine,
    otherEngines: reportedCounts(self.otherEngines),
    ...{ selections: { ...selections } },
    differentSelections: reportedCounts(self.differentSelections),
    differences,
    sinceMs: records === 0 ? null : self.fromMs,
    untilMs: records === 0 ? null : self.toMs,
  }
}

const counted = (count: number, one: string): string =>
  `${count.toLocaleString('en')} ${one}${count === 1 ? '' : 's'}`

/** A share in percent, never rounded up to a whole it is not. */
export function percent(ppm: number): string {
  return `${(Math.floor(ppm / 100) / 100).toString()} %`
}

/** The report in lines for people. */
export function replayLines(report: ReplayReport): string[] {
  const { records, undecided, decided, same, different, replayablePpm, selections } = report
  if (records === 0) return ['no records in this time']
  const classes = Object.entries(report.factsClasses).map(
    ([name, calls]) => `${name} ${calls.toLocaleString('en')}`,
  )
  const lines = [
    `${counted(records, 'record')}, ${counted(decided, 'call')} decided by policies` +
      (undecided > 0 ? ` (${undecided.toLocaleString('en')} ended before)` : ''),
  ]
  if (replayablePpm === null) return lines
  lines.push(
    `replayable  ${percent(replayablePpm)}   facts: ${classes.join(', ')}`,
    `same        ${same.toLocaleString('en')}`,
    `different   ${different.toLocaleString('en')}`,
    `selections  ${selections.same.toLocaleString('en')} same, ${selections.different} different, ${selections.unchecked} not checked`,
  )
  for (const { what, calls, examples } of report.otherEngines) {
    lines.push(
      `another engine  ${counted(calls, 'call')} recorded with ${what}; here is ${report.engine}  (${examples[0]})`,
    )
  }
  for (const { what, calls, examples } of report.notReplayable) {
    lines.push(`not replayable  ${counted(calls, 'call')}: ${what}  (${examples.join(', ')})`)
  }
  for (const { id, recordedDigest, replayedDigest, why } of report.differences) {
    lines.push(`different  ${id}: recorded ${recordedDigest}, replayed ${replayedDigest}: ${why}`)
  }
  for (const { what, calls, examples } of report.differentSelections) {
    lines.push(`other targets  ${counted(calls, 'call')}: ${what}  (${examples.join(', ')})`)
  }
  return lines
}
