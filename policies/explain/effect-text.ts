import type { Caps, Effect, ModelFilter, PlanNode } from '@signalbox/sdk/contract'
import type { FilterColumns } from '../evaluation/layer-path.ts'
import { numberText } from './value-text.ts'

/** A plan as a line: `a, then b`; other strategies by name. */
export function describePlan(node: PlanNode): string {
  if ('target' in node) return node.target
  if ('pipeline' in node)
    return node.pipeline.map((step) => `${step.id}: ${describePlan(step.node)}`).join(' | ')
  const parts = node.of.map((each) => ('target' in each ? each.target : `(${describePlan(each)})`))
  return node.strategy === 'ordered' ? parts.join(', then ') : `${node.strategy} of ${parts.join(', ')}`
}

/** `maxOutputTokens ≤ 4,096`. */
export function capsText(caps: Caps): string[] {
  return Object.entries(caps).map(([name, value]) => `${name} ≤ ${numberText(value)}`)
}

const columnNames = ['locality', 'connection', 'provider', 'target', 'region'] as const

const listText = (wanted: string | readonly string[]): string =>
  typeof wanted === 'string' ? wanted : wanted.length === 0 ? 'none at all' : wanted.join(' or ')

const percentText = (ppm: number): string => `${numberText(ppm / 10_000)} %`

/** What a filter keeps: `locality on-prem, region eu or ch`. */
export function filterText(where: ModelFilter): string {
  const columns = columnNames.flatMap((name) => {
    const wanted = where[name]
    return wanted === undefined ? [] : [`${name} ${listText(wanted)}`]
  })
  const { minRemainingPpm } = where
  if (minRemainingPpm !== undefined) columns.push(`${percentText(minRemainingPpm)} of the rate limit left`)
  return columns.length === 0 ? 'every candidate' : columns.join(', ')
}

/** Why a filter does not keep a candidate: `locality cloud, not on-prem`. Of several columns the first. */
export function misfitText(columns: FilterColumns, where: ModelFilter): string {
  for (const name of columnNames) {
    const wanted = where[name]
    const actual = columns[name]
    if (wanted === undefined || (actual !== undefined && [wanted].flat().includes(actual))) continue
    return name === 'target'
      ? 'not among the targets named'
      : `${name} ${actual ?? 'unknown'}, not ${listText(wanted)}`
  }
  const { remainingPpm } = columns
  if (remainingPpm !== undefined && remainingPpm < (where.minRemainingPpm ?? 0))
    return `${percentText(remainingPpm)} of the rate limit left, not ${percentText(where.minRemainingPpm ?? 0)}`
  return filterText(where)
}

/** What a rule said, for people. */
export function effectText(effect: Effect): string {
  if ('deny' in effect) {
    const { code, http = 403, message } = effect.deny
    return `deny ${code} HTTP ${http}${message === undefined ? '' : `: ${message}`}`
  }
  if ('only' in effect) return `only ${filterText(effect.only.where)}`
  if ('requireGuard' in effect) return `guard ${guardText(effect.requireGuard)}`
  if ('cap' in effect) return `cap ${capsText(effect.cap).join(', ')}`
  if ('continue' in effect) return 'continue with the next route'
  if ('plan' in effect) return `plan ${describePlan(effect.plan)}`
  const { model, fallback = [] } = effect.use
  const first = typeof model === 'string' ? model : `the model in ${model.fact}`
  return `use ${[first, ...fallback].join(', then ')}`
}

/** `input no-secrets, else block`. */
export function guardText(demand: { id: string; direction: string; onError?: string }): string {
  return `${demand.direction} ${demand.id}, ${demand.onError ?? 'block'} if it cannot run`
}
