import type { ArmFigures, Deployment, GuardState, Guards } from '@signalbox/sdk'
import { formatDuration, formatMoney } from '../ui/format.ts'

export type Metric = GuardState['metric']

export const metricNames: Readonly<Record<Metric, string>> = {
  policyErrors: 'Policy errors',
  upstreamErrors: 'Upstream errors',
  latency: 'Latency, p95',
  cost: 'Cost per call',
  denies: 'Denied calls',
  guardrails: 'Stopped by guardrails',
}
const causes: Readonly<Record<Deployment['cause'], string>> = {
  push: 'pushed',
  promotion: 'promoted',
  ramp: 'ramp went on',
  rollback: 'rolled back',
  guard: 'taken back by a guard',
}

/** `2.5 %` of parts per million. */
export function formatShare(ppm: number): string {
  return `${Number((ppm / 10_000).toFixed(4))} %`
}

/** `30 min`, `2 h`, `3 d`: a time that somebody set. */
export function formatSpan(ms: number): string {
  if (ms < 60_000) return `${Math.round(ms / 1000)} s`
  if (ms < 3_600_000) return `${Number((ms / 60_000).toFixed(1))} min`
  if (ms < 86_400_000) return `${Number((ms / 3_600_000).toFixed(1))} h`
  return `${Number((ms / 86_400_000).toFixed(1))} d`
}

/** A figure of a guard in its own unit. */
export function formatMetric(metric: Metric, value: number | null): string {
  if (value === null) return '–'
  if (metric === 'latency') return formatDuration(value)
  if (metric === 'cost') return formatMoney(String(Math.round(value)))
  return `${(value / 10_000).toFixed(2)} %`
}

/** What a guard lets pass, in words. */
export function boundOf(metric: Metric, guards: Guards): string {
  if (metric === 'policyErrors') {
    const rule = guards.policyErrors
    if (rule === null) return 'not watched'
    return `fewer than ${rule.calls} calls or ${formatShare(rule.ppm)} in ${formatSpan(rule.windowMs)}, in each gateway`
  }
  const rule = guards[metric]
  if (rule === null) return 'not watched'
  const isShareOfStable = metric === 'latency' || metric === 'cost'
  const more = (ppm: number): string =>
    isShareOfStable ? `${formatShare(ppm)} more` : `${Number((ppm / 10_000).toFixed(4))} points more`
  return `${more(rule.marginPpm)} than stable; at once from ${more(rule.tripPpm)}`
}

export function costPerCall({ pricedCalls, costNanoUsd }: ArmFigures): string {
  if (pricedCalls === 0) return '–'
  return formatMoney(String(BigInt(costNanoUsd.total) / BigInt(pricedCalls)))
}

/** What happened, in two or three words; `before` is what stood there, undefined where that is not known. */
export function causeText(deployment: Deployment, before?: Deployment): string {
  const { cause, candidate, rollbackOf, shadows } = deployment
  if (cause === 'rollback' && rollbackOf === null) return 'shadow taken away'
  if (cause !== 'promotion') return causes[cause]
  if (before !== undefined && shadows.length > before.shadows.length) return 'shadow'
  if (candidate === null) return causes[cause]
  return before?.candidate?.digest === candidate.digest ? 'rollout changed' : 'candidate'
}

/** What a deployment points at, in words: `v12 stable, v13 for 5 % by user`. */
export function pointsAt({ stable, candidate, shadows }: Deployment): string {
  const parts = [`v${stable.version} stable`]
  if (candidate !== null) {
    const { version, ppm, teams, by } = candidate
    const whose = teams.length === 0 ? '' : ` of ${teams.join(', ')}`
    parts.push(`v${version} for ${formatShare(ppm)}${whose} by ${by}`)
  }
  if (shadows.length > 0) parts.push(`${shadows.map(({ version }) => `v${version}`).join(', ')} looking on`)
  return parts.join(', ')
}
