import { percent, replayLines } from '../replay/replay-report.ts'
import { type BacktestReport, leftOut, type Transition } from './backtest-report.ts'
import { changeSpan, usdSpan } from './money-text.ts'
import type { Dimension } from './tally.ts'

const rowsMax = 8
const count = (value: number): string => value.toLocaleString('en')
const ms = (value: number | null): string => (value === null ? '—' : `${count(value)} ms`)
const headings: Readonly<Record<Dimension, string>> = {
  outcome: 'outcome → outcome',
  target: 'target → target',
  rule: 'rule → rule',
  guardrails: 'guardrails → guardrails',
  prompt: 'prompt → prompt',
}

function transitionLines(heading: string, rows: readonly Transition[]): string[] {
  if (rows.length === 0) return []
  const shown = rows.slice(0, rowsMax).map(({ from, to, calls, examples }) => {
    return `  ${count(calls).padStart(9)}  ${from} → ${to}  (${examples[0] ?? ''})`
  })
  const more = rows.length > rowsMax ? [`  ${rows.length - rowsMax} more`] : []
  return [heading, ...shown, ...more]
}

/** Spend, latency and fuel of both sides. */
export function costLines({ cost, latency, fuel }: BacktestReport): string[] {
  const { before, after } = cost
  const unpriced = after.unpriced + before.unpriced
  const lines = [
    `cost      ${usdSpan(before.lowNanoUsd, before.highNanoUsd)} → ${usdSpan(after.lowNanoUsd, after.highNanoUsd)}` +
      `  (${changeSpan(cost.changeLowPpm, cost.changeHighPpm)}, estimate for ${count(after.estimated)} calls)`,
  ]
  if (unpriced > 0)
    lines.push(
      `          without a price: ${count(before.unpriced)} calls before, ${count(after.unpriced)} after`,
    )
  lines.push(
    `latency   p50 ${ms(latency.before.p50Ms)} → ${ms(latency.after.p50Ms)}, p95 ${ms(latency.before.p95Ms)} → ${ms(latency.after.p95Ms)}` +
      (latency.unknown > 0 ? `  (unknown for ${count(latency.unknown)} calls)` : '  (estimate)'),
    `fuel      at most ${count(fuel.beforeMax)} → ${count(fuel.afterMax)}`,
  )
  return lines
}

/** What was compared, and what was left out and why; never silent about a call. */
export function comparedLines(report: BacktestReport): string[] {
  const { compared, changed, changedPpm, unanswerable, assumed, replay } = report
  const lines = [
    `compared  ${count(compared)} calls, ${count(changed)} decided differently${changedPpm === null ? '' : ` (${percent(changedPpm)})`}`,
  ]
  const out = leftOut(report)
  if (out > 0) lines.push(`left out  ${count(out)} of ${count(replay.decided)} decided calls`)
  for (const { what, calls, examples } of unanswerable) {
    lines.push(`  ${count(calls).padStart(9)}  cannot be asked: ${what}  (${examples[0] ?? ''})`)
  }
  for (const { what, calls } of assumed) lines.push(`  ${count(calls).padStart(9)}  assumed: ${what}`)
  return lines
}

/** The report in lines for people. */
export function backtestLines(report: BacktestReport): string[] {
  const lines = replayLines(report.replay)
  if (report.replay.records === 0) return lines
  lines.push('', ...comparedLines(report))
  for (const [dimension, heading] of Object.entries(headings)) {
    lines.push(...transitionLines(heading, report.transitions[dimension as Dimension]))
  }
  if (report.cohorts.length > 0) {
    lines.push('most changed')
    for (const { by, name, changed, compared, examples } of report.cohorts.slice(0, rowsMax)) {
      lines.push(
        `  ${count(changed).padStart(9)} of ${count(compared)}  ${by} ${name}  (${examples[0] ?? ''})`,
      )
    }
  }
  for (const { code, before, after } of report.reasons) {
    lines.push(`reason    ${code}  ${count(before)} → ${count(after)} calls`)
  }
  for (const { rule, before } of report.deadRules) {
    lines.push(`no call   meets ${rule}${before > 0 ? `, which ${count(before)} calls met before` : ''}`)
  }
  for (const { what, calls, examples } of report.failures) {
    lines.push(`broken    ${count(calls)} calls: ${what}  (${examples.join(', ')})`)
  }
  lines.push(...costLines(report))
  for (const { passed, text } of report.thresholds)
    lines.push(`${passed ? 'ok       ' : 'FAILED   '} ${text}`)
  return lines
}
