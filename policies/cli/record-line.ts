import type { RecordRow } from '@signalbox/sdk'
import type { Output } from './output.ts'

/** Nano-dollars as dollars, as short as they are exact enough to read. */
export function dollars(nanoUsd: string | undefined): string {
  if (nanoUsd === undefined) return 'unpriced'
  const value = Number(nanoUsd) / 1e9
  return `$${value === 0 ? '0' : value < 0.01 ? value.toPrecision(2) : value.toFixed(2)}`
}

/** The policy and rule that decided; a call that ended before its decision was decided by none. */
function decidedBy(row: RecordRow): string {
  if (row.effect === 'none') return 'not decided'
  if (row.policy !== undefined) return `${row.policy}/${row.rule ?? '-'}`
  return row.effect === 'allow' ? 'default route' : 'no policy'
}

/** One decision in a line. */
export function recordLine(row: RecordRow, output: Output): string {
  const time = new Date(row.timeMs).toISOString().slice(11, 23)
  const effect =
    row.status < 400 ? output.style('green', 'allow') : output.style('red', row.errorCode ?? row.effect)
  const parts = [
    output.style('dim', time),
    effect,
    `${row.modelRequested} → ${row.target ?? '-'}`,
    row.arm === 'candidate' ? `${decidedBy(row)} ${output.style('yellow', 'candidate')}` : decidedBy(row),
    `${Math.round(row.durationMs)} ms`,
    dollars(row.costNanoUsd),
    output.style('dim', row.id),
  ]
  return parts.join('  ')
}
