import type { Client, GetStatusReply } from '@signalbox/sdk'
import { formatAmount } from '../amounts.ts'
import { comparisonLines } from '../comparison-lines.ts'
import { freezeText } from '../freeze-options.ts'
import type { Output } from '../output.ts'
import { deploymentText } from '../print-deployment.ts'
import { examples, type Verb } from '../verb.ts'

type SelfCheck = NonNullable<GetStatusReply['environments'][number]['selfCheck']>

/** What the last nightly replay found, in a line. */
function selfCheckText(check: SelfCheck, output: Output): string {
  const {
    startedMs,
    endedMs,
    records,
    undecided,
    same,
    different,
    otherSelections,
    examples: ids,
    failure,
  } = check
  const when = new Date(startedMs).toISOString().slice(0, 16).replace('T', ' ')
  if (failure !== null) return `replay ${when} ${output.style('red', 'failed')}: ${failure}`
  if (endedMs === null) return `replay ${when} not finished`
  const decided = records - undecided
  const wrong = different + otherSelections
  const verdict =
    wrong === 0
      ? output.style('green', 'same')
      : output.style('red', `${wrong} different (${ids.join(', ')})`)
  const rest = decided - same - different
  return `replay ${when} ${same} of ${decided} calls ${verdict}${rest > 0 ? `, ${rest} not replayable` : ''}`
}

type Report = NonNullable<Awaited<ReturnType<Client['listGateways']>>['items'][number]['report']>

/** What a gateway said of itself, as far as it is worth a line. */
function reportLines(report: Report | null): string[] {
  const lines: string[] = []
  if (report === null) return lines
  const { sharedStore, cache, limits } = report
  if (sharedStore === 'away')
    lines.push('the shared store is away: limits and cache are those of this gateway alone')
  const asked = cache.hits + cache.misses
  if (asked > 0) {
    const percent = ((cache.hits / asked) * 100).toFixed(1)
    lines.push(`cache ${percent}% of ${asked} calls, ${formatAmount(cache.savedNanoUsd, 'usd')} saved`)
  }
  if (limits.refused > 0) lines.push(`${limits.refused} calls refused by limits`)
  return lines
}

function printRefused({ refusedReports }: GetStatusReply, output: Output): void {
  if (refusedReports === 0) return
  const what = `${refusedReports} reports of money were refused: signalbox budgets refused`
  output.line(output.style('red', what))
}

function driftLines({ drift }: GetStatusReply['environments'][number], output: Output): string[] {
  return drift.map(({ workspace, role, version, parent, by }) => {
    const what = role === 'stable' ? workspace : `${workspace}, ${role}`
    const from = parent === null ? '' : ` from v${parent}`
    const made = `${what} v${version} was made by ${by}${from} outside Git`
    return `${output.style('yellow', 'drift')} ${made}: signalbox pull --version v${version}`
  })
}

export const verb: Verb = {
  name: 'status',
  register(program, context) {
    program
      .command('status')
      .description('what runs where, and how far the gateways have converged')
      .option('--env <environment>', 'only this environment')
      .addHelpText('after', examples(['signalbox status', 'signalbox status --env production --json']))
      .action(async (options: { env?: string }) => {
        const { output } = context
        const reply = await context
          .client()
          .getStatus(options.env === undefined ? {} : { environment: options.env })
        output.document(reply)
        printRefused(reply, output)
        for (const environment of reply.environments) {
          const { connected, release, state, rejecting } = environment.convergence
          const mark =
            environment.gateways.length === 0
              ? 'no gateway'
              : environment.converged
                ? `converged, ${connected} connected`
                : `converging: of ${connected} connected ${release} run the release, ${state} the state, ${rejecting} reject`
          output.line(`${output.style('bold', environment.name)}  ${mark}`)
          for (const deployment of environment.deployments) {
            output.line(`  ${deploymentText(deployment)} by ${deployment.by}`)
            if (deployment.evidence !== null)
              output.line(`    ${output.style('red', deployment.evidence.message)}`)
            if (deployment.candidate !== null || deployment.shadows.length > 0) {
              const { comparison, shadowChanges } = await context
                .client()
                .getDeployment({ id: deployment.id })
              for (const line of comparisonLines(comparison, shadowChanges)) output.line(`    ${line}`)
            }
          }
          if (environment.freeze !== null) {
            output.line(`  ${output.style('yellow', freezeText(environment.freeze))}`)
          }
          for (const line of driftLines(environment, output)) output.line(`  ${line}`)
          const check = environment.selfCheck
          if (check !== null) output.line(`  ${selfCheckText(check, output)}`)
          for (const gateway of environment.gateways) {
            const state = gateway.connected
              ? output.style('green', 'connected')
              : output.style('yellow', 'away')
            output.line(
              `  ${gateway.name} ${state} release ${gateway.release ?? '-'} state ${gateway.state ?? '-'}`,
            )
            for (const line of reportLines(gateway.report)) output.line(`    ${line}`)
            for (const { document, sequence, error } of gateway.rejections) {
              output.line(`    ${output.style('red', 'rejected')} ${document} ${sequence}: ${error}`)
            }
          }
        }
      })
  },
}
