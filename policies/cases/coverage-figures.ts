import type { Problem } from '@signalbox/sdk/contract'
import type { PolicyCoverage } from './coverage.ts'

/** What is counted. `lifted`: conditions that the compiler can read as data; a figure, not a matter of cases. */
export const coverageMetrics = [
  'rules',
  'both-outcomes',
  'branches',
  'reasons',
  'on-error',
  'lifted',
] as const
export type CoverageMetric = (typeof coverageMetrics)[number]
export interface CoverageCount {
  readonly covered: number
  readonly total: number
}
export type CoverageFigures = Readonly<Record<CoverageMetric, CoverageCount>>

function count<T>(items: readonly T[], isCovered: (item: T) => boolean): CoverageCount {
  return { covered: items.filter(isCovered).length, total: items.length }
}

/** The figures of one policy, guardrail or prompt. */
export function figuresOf({ rules, conditions, reasons, onErrors }: PolicyCoverage): CoverageFigures {
  const branches = rules.flatMap(({ matched, passedOver, always }) =>
    always ? [matched] : [matched, passedOver],
  )
  return {
    rules: count(rules, ({ matched }) => matched),
    'both-outcomes': count(conditions, ({ seenTrue, seenFalse }) => seenTrue && seenFalse),
    branches: count(branches, Boolean),
    reasons: count(reasons, ({ seen }) => seen),
    'on-error': count(onErrors, ({ seen }) => seen),
    lifted: count(conditions, ({ lifted }) => lifted),
  }
}

function sum(counts: readonly CoverageCount[]): CoverageCount {
  const add = (pick: (each: CoverageCount) => number) => counts.reduce((total, each) => total + pick(each), 0)
  return { covered: add(({ covered }) => covered), total: add(({ total }) => total) }
}

/** The figures of all together. */
export function totalFigures(coverage: readonly PolicyCoverage[]): CoverageFigures {
  const all = coverage.map(figuresOf)
  const entries = coverageMetrics.map((metric) => [metric, sum(all.map((figures) => figures[metric]))])
  return Object.fromEntries(entries) as CoverageFigures
}

/** Per cent, rounded down, so that 100 means all. Nothing to cover is covered. */
export function percentOf({ covered, total }: CoverageCount): number {
  return total === 0 ? 100 : Math.floor((covered * 100) / total)
}

/** All but `lifted` together: the figure that `environments.NAME.coverage` is about. */
export function overallCount(coverage: readonly PolicyCoverage[]): CoverageCount {
  const figures = totalFigures(coverage)
  return sum(coverageMetrics.flatMap((metric) => (metric === 'lifted' ? [] : [figures[metric]])))
}

/** Least figures in per cent, by metric; `all` for all but `lifted` together. */
export type CoverageThresholds = Readonly<Partial<Record<CoverageMetric | 'all', number>>>

/** Figures below their threshold, one sentence each. */
export function shortfalls(coverage: readonly PolicyCoverage[], thresholds: CoverageThresholds): string[] {
  const figures = { ...totalFigures(coverage), all: overallCount(coverage) }
  return ([...coverageMetrics, 'all'] as const).flatMap((metric) => {
    const wanted = thresholds[metric]
    const found = figures[metric]
    if (wanted === undefined || percentOf(found) >= wanted) return []
    const name = metric === 'all' ? 'coverage' : `coverage of ${metric}`
    return [`${name} is ${percentOf(found)} % (${found.covered} of ${found.total}), ${wanted} % is needed`]
  })
}

type Missing = Pick<Problem, 'line' | 'column' | 'message'>

function missingOfRule(policy: PolicyCoverage, rule: PolicyCoverage['rules'][number]): Missing[] {
  const { line, column } = rule
  const conditions = policy.conditions.filter((each) => each.rule === rule.rule)
  const missing = conditions.flatMap(({ text, seenTrue, seenFalse, ...place }): Missing[] => {
    const outcomes = [...(seenTrue ? [] : ['true']), ...(seenFalse ? [] : ['false'])]
    if (outcomes.length === 0) return []
    const at = { line: place.line, column: place.column }
    return [{ ...at, message: `${rule.rule}: never ${outcomes.join(' or ')}: ${text}` }]
  })
  if (missing.length > 0) return missing
  if (!rule.matched) return [{ line, column, message: `${rule.rule}: ${neverMatched[policy.kind]}` }]
  if (rule.passedOver || rule.always) return []
  return [{ line, column, message: `${rule.rule}: always matched` }]
}
const neverMatched = {
  policy: 'never matched',
  guardrail: 'never failed a text',
  prompt: 'never rendered',
} as const

const neverRefused =
  'never refused a value (add a case with a variable that does not fit, and expect "error")'

/** Everything that no case saw, with its place; where a condition explains a rule, the condition alone. */
export function uncovered(coverage: readonly PolicyCoverage[]): Problem[] {
  return coverage.flatMap((policy) => {
    const { file, rules, reasons, onErrors } = policy
    const matched = new Set(rules.flatMap(({ rule, matched }) => (matched ? [rule] : [])))
    const missing: Missing[] = [
      ...rules.flatMap((rule) => missingOfRule(policy, rule)),
      ...reasons.flatMap(({ rule, code, line, column, seen }) =>
        seen || !matched.has(rule)
          ? []
          : [{ line, column, message: `${rule}: never gave the reason ${code}` }],
      ),
      ...onErrors.flatMap(({ rule, line, column, seen }): Missing[] => {
        if (seen) return []
        if (policy.kind === 'prompt') return [{ line, column, message: neverRefused }]
        const whose = rule === null ? `onError of the ${policy.kind}` : `onError of ${rule}`
        const wanted = `{ name: breaks, throw: ${rule ?? true}, expect: { error: exception } }`
        const hint = `add to the cases of "${policy.kind}: ${policy.policy}": ${wanted}`
        return [{ line, column, message: `${whose}: never taken (${hint})` }]
      }),
    ]
    return missing.map((each): Problem => ({ severity: 'warning', code: 'uncovered', file, ...each }))
  })
}
