import type { GetDeploymentReply } from '@signalbox/sdk'

type Comparison = GetDeploymentReply['comparison']
type Guard = NonNullable<Comparison>['guards'][number]

const number = (value: number | null): string => (value === null ? '-' : String(Math.round(value)))

/** One guard: what was measured of both arms, in the unit of the metric. */
function guardText({ metric, state, stable, candidate, action }: Guard): string {
  const isRate = metric !== 'latency' && metric !== 'cost'
  const show = (value: number | null): string =>
    isRate && value !== null ? `${(value / 10_000).toFixed(2)}%` : number(value)
  const unit = metric === 'latency' ? ' ms' : metric === 'cost' ? ' nano-dollars' : ''
  const what = state === 'breached' ? `breached, ${action}` : state
  return `${metric} ${show(candidate)} against ${show(stable)}${unit}: ${what}`
}

/** A candidate beside stable, and what shadows would have said, line by line. */
export function comparisonLines(
  comparison: Comparison,
  shadowChanges: GetDeploymentReply['shadowChanges'],
): string[] {
  const lines: string[] = []
  if (comparison !== null) {
    const { candidate, stable, verdict, reason, guards } = comparison
    const why = reason === null ? '' : ` (${reason})`
    lines.push(`${candidate.calls} calls of the candidate, ${stable.calls} of stable: ${verdict}${why}`)
    lines.push(...guards.map(guardText))
  }
  for (const { version, from, to, effect, same, calls, records } of shadowChanges) {
    const example = records[0] === undefined ? '' : ` (${records[0]})`
    lines.push(
      `shadow v${version} ${same ? 'same' : 'differs'} ${from} → ${to} ${effect} ${calls} calls${example}`,
    )
  }
  return lines
}
