import type { RecordRow } from '@signalbox/sdk'
import type { Output } from './output.ts'

/** Nano-dollars as dollars, as short as they are exact enough to read. */
export function dollars(nanoUsd: string | undefined): string {
  if (nanoUsd === undefined) return 'unpriced'
  const value = Number(nanoUsd) / 1e9
  return `$${value === 0 ? '0' : value < 0.01 ? value.toPrecision(2) : value.toFixed(2)}`
}

/** One decision in a line. */
export function recordLine(row: RecordRow, output: Output): string {
  const time = new Date(row.timeMs).toISOString().slice(11, 23)
  const effect =
    row.status < 400 ? output.style('green', 'allow') : output.style('red', row.errorCode ?? row.effect)
  const rule = row.policy === undefined ? 'default route' : `${row.policy}/${row.rule ?? '-'}`
  const parts = [
    output.style('dim', time),
    effect,
    `${row.modelRequested} → ${row.target ?? '-'}`,
    rule,
    `${Math.round(row.durationMs)} ms`,
    dollars(row.costNanoUsd),
    output.style('dim', row.id),
  ]
  return parts.join('  ')
}
