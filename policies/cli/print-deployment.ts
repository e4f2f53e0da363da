import type { PromoteVersionReply } from '@signalbox/sdk'
import type { Output } from './output.ts'

export type ShownDeployment = PromoteVersionReply

/** Parts per million as people write a share: `5%`. */
export function percentOf(ppm: number): string {
  return `${Number((ppm / 10_000).toFixed(4))}%`
}

/** What runs, in words: `acme v12 stable, v13 5% by user`. */
export function deploymentText({
  workspace,
  stable,
  candidate,
  shadows,
  shadowPpm,
}: ShownDeployment): string {
  const parts = [`${workspace} v${stable.version} stable`]
  if (candidate !== null) {
    const { version, ppm, teams, by, ramp } = candidate
    const where = teams.length === 0 ? '' : ` of ${teams.join(', ')}`
    const next = ramp.slice(1).map((step) => percentOf(step.ppm))
    parts.push(
      `v${version} ${percentOf(ppm)}${where} by ${by}${next.length === 0 ? '' : ` → ${next.join(' → ')}`}`,
    )
  }
  const seen = shadowPpm === undefined ? '' : ` of ${percentOf(shadowPpm)}`
  if (shadows.length > 0) {
    parts.push(`shadow ${shadows.map(({ version }) => `v${version}`).join(', ')}${seen}`)
  }
  return parts.join(', ')
}

/** What a deployment came to, in a few lines. */
export function printDeployment(deployment: ShownDeployment, output: Output): void {
  const { environment, status, approval, pending, workspace, candidate, stable } = deployment
  if (status === 'awaiting_approval' && approval !== null) {
    const version = candidate?.version ?? stable.version
    const agreed = approval.decisions.filter(({ decision }) => decision === 'approved').length
    const who = approval.role === null ? '' : ` by role ${approval.role}`
    output.line(`${environment}: ${workspace} v${version} ${output.style('yellow', 'awaiting_approval')}`)
    output.line(
      `${agreed} of ${approval.needed} agreed${who}; another person runs: signalbox approve ${approval.id}`,
    )
    return
  }
  if (status === 'rejected') output.line(`${environment}: ${workspace} refused`)
  else output.line(`${environment}: ${deploymentText(deployment)}`)
  if (pending !== undefined) output.note(`waiting for ${pending.join(', ')}`)
}
