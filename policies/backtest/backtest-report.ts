import type { CompiledWorkspace } from '@signalbox/sdk/contract'
import {
  type ReplayReport,
  type ReportedCount,
  replayReport,
  reportedCounts,
} from '../replay/replay-report.ts'
import { rowsOf } from './counts.ts'
import { addDurations, countOf, quantileMs } from './latency.ts'
import { type Band, bandOf, changePpmOf, type Spend } from './spend.ts'
import type { Comparison, Dimension, Tally } from './tally.ts'
import { type Judgement, judge, type Thresholds } from './thresholds.ts'

export interface Transition {
  readonly from: string
  readonly to: string
  readonly calls: number
  readonly examples: readonly string[]
}
export interface ReportedCohort {
  /** `team`, `model`, `operation`, `metadata.NAME`. */
  readonly by: string
  readonly name: string
  readonly compared: number
  readonly changed: number
  readonly examples: readonly string[]
}
export interface ReportedSpend {
  readonly calls: number
  /** Nano-dollars as decimal texts. */
  readonly lowNanoUsd: string
  readonly highNanoUsd: string
  readonly unpriced: number
  readonly estimated: number
}
/** Durations of answered calls; those of calls that would have gone elsewhere are those of that target's own calls. */
export interface ReportedLatency {
  readonly before: { readonly p50Ms: number | null; readonly p95Ms: number | null }
  readonly after: { readonly p50Ms: number | null; readonly p95Ms: number | null }
  /** Calls that would have gone to a target which answered nothing in this time. */
  readonly unknown: number
}
/** The document of `signalbox backtest --json`. */
export interface BacktestReport {
  /** Every call that could be replayed came out the same, and all thresholds hold. */
  readonly ok: boolean
  readonly candidate: { readonly workspace: string; readonly digest: string }
  /** What the candidate is compared with; null for what decided each call. */
  readonly baseline: { readonly version: number | null; readonly digest: string } | null
  readonly replay: ReplayReport
  readonly compared: number
  readonly changed: number
  readonly changedPpm: number | null
  readonly unanswerable: readonly ReportedCount[]
  readonly assumed: readonly ReportedCount[]
  readonly transitions: Readonly<Record<Dimension, readonly Transition[]>>
  readonly cohorts: readonly ReportedCohort[]
  /** Rules of the candidate that no call met, and how many met them before. */
  readonly deadRules: readonly { readonly rule: string; readonly before: number }[]
  readonly reasons: readonly { readonly code: string; readonly before: number; readonly after: number }[]
  readonly failures: readonly ReportedCount[]
  readonly cost: {
    readonly before: ReportedSpend
    readonly after: ReportedSpend
    /** Change of the spend; null where nothing was spent before. */
    readonly changeLowPpm: number | null
    readonly changeHighPpm: number | null
    /** Digest of the catalogue whose prices were used. */
    readonly catalogue: string
  }
  readonly latency: ReportedLatency
  readonly fuel: { readonly beforeMax: number; readonly afterMax: number }
  readonly thresholds: readonly Judgement[]
  /** What these figures do not know. */
  readonly assumptions: readonly string[]
}
export interface ReportOptions {
  readonly candidate: { readonly digest: string; readonly compiled: CompiledWorkspace }
  readonly baseline?: { readonly digest: string; readonly number?: number }
  /** Digest of the engine here. */
  readonly engine: string
  readonly catalogue: string
  readonly thresholds?: Thresholds
}

const cohortsMax = 20
const assumptions = [
  'Calls are independent of each other: budgets are as they were recorded, not spent anew.',
  'A call that would have gone elsewhere costs its own tokens at the prices of that target (estimate).',
  'Answers that nobody counted are taken to be as long as those of that target here, else as all (90 % band); where fewer than 30 were counted, from nothing to the longest.',
  'Answers are not simulated: nothing is said of their quality.',
]

function transitionsOf(counts: Comparison['transitions'][Dimension]): Transition[] {
  return rowsOf(counts).map(({ name, count, examples }) => {
    const [from = '', to = name] = name.split('\u0000')
    return { from, to, calls: count, examples }
  })
}

function allTransitions(of: Comparison['transitions']): BacktestReport['transitions'] {
  const { outcome, target, rule, guardrails, prompt } = of
  return {
    outcome: transitionsOf(outcome),
    target: transitionsOf(target),
    rule: transitionsOf(rule),
    guardrails: transitionsOf(guardrails),
    prompt: transitionsOf(prompt),
  }
}

function cohortsOf({ cohorts }: Comparison): ReportedCohort[] {
  const all = [...cohorts].flatMap(([by, groups]) =>
    [...groups].map(([name, group]) => ({ by, name, ...group })),
  )
  return all
    .filter(({ changed }) => changed > 0)
    .sort((one, other) => other.changed - one.changed || (one.by + one.name < other.by + other.name ? -1 : 1))
    .slice(0, cohortsMax)
}

function deadRulesOf({ compiled }: ReportOptions['candidate'], { rulesBefore, rulesAfter }: Comparison) {
  const { name, policies } = compiled
  return policies
    .flatMap(({ id, rules }) => rules.map((rule) => `${name}/${id}/${rule.id}`))
    .filter((rule) => !rulesAfter.has(rule))
    .map((rule) => ({ rule, before: rulesBefore.get(rule)?.count ?? 0 }))
}

function reasonsOf({ reasonsBefore, reasonsAfter }: Comparison): BacktestReport['reasons'] {
  const codes = [...new Set([...reasonsBefore.keys(), ...reasonsAfter.keys()])].sort()
  return codes
    .map((code) => ({
      code,
      before: reasonsBefore.get(code)?.count ?? 0,
      after: reasonsAfter.get(code)?.count ?? 0,
    }))
    .filter(({ before, after }) => before !== after)
}

const spendOf = (spend: Spend, { lowNanoUsd, highNanoUsd }: Band): ReportedSpend => ({
  ...{ calls: spend.calls, unpriced: spend.unpriced, estimated: spend.estimated },
  lowNanoUsd: String(lowNanoUsd),
  highNanoUsd: String(highNanoUsd),
})

function costOf(comparison: Comparison, catalogue: string): BacktestReport['cost'] {
  const { spendBefore, spendAfter, spendChange, lengths } = comparison
  const before = bandOf(spendBefore, lengths)
  const { lowPpm, highPpm } = changePpmOf(bandOf(spendChange, lengths), before)
  return {
    before: spendOf(spendBefore, before),
    after: spendOf(spendAfter, bandOf(spendAfter, lengths)),
    changeLowPpm: lowPpm,
    changeHighPpm: highPpm,
    catalogue,
  }
}

function latencyOf({ latency }: Comparison): ReportedLatency {
  const after = [...latency.kept]
  let unknown = 0
  for (const [target, calls] of latency.moved) {
    const observed = latency.observed.get(target) ?? []
    const count = countOf(observed)
    if (count === 0) unknown += calls
    else addDurations(after, observed, calls / count)
  }
  const quantiles = (durations: readonly number[]) => ({
    p50Ms: quantileMs(durations, 0.5) ?? null,
    p95Ms: quantileMs(durations, 0.95) ?? null,
  })
  return { before: quantiles(latency.before), after: quantiles(after), unknown }
}

/** What a backtest found, as one document. */
export function backtestReport({ self, comparison }: Tally, options: ReportOptions): BacktestReport {
  const { candidate, baseline, engine, catalogue, thresholds = {} } = options
  const { compared, changed } = comparison
  const replay = replayReport(self, engine)
  const judged = judge(thresholds, { replay, comparison })
  return {
    ok: replay.ok && judged.every(({ passed }) => passed),
    candidate: { workspace: candidate.compiled.name, digest: candidate.digest },
    baseline: baseline === undefined ? null : { version: baseline.number ?? null, digest: baseline.digest },
    replay,
    ...{ compared, changed },
    changedPpm: compared === 0 ? null : Math.ceil((changed * 1_000_000) / compared),
    unanswerable: reportedCounts(comparison.unanswerable),
    assumed: reportedCounts(comparison.assumed),
    transitions: allTransitions(comparison.transitions),
    cohorts: cohortsOf(comparison),
    deadRules: compared === 0 ? [] : deadRulesOf(candidate, comparison),
    reasons: reasonsOf(comparison),
    failures: reportedCounts(comparison.failures),
    cost: costOf(comparison, catalogue),
    latency: latencyOf(comparison),
    fuel: { beforeMax: comparison.fuelBefore.max, afterMax: comparison.fuelAfter.max },
    thresholds: judged,
    assumptions,
  }
}

/** Calls that could not be compared at all, for whatever reason. */
export function leftOut({ replay, unanswerable }: BacktestReport): number {
  const count = (rows: readonly ReportedCount[]): number => rows.reduce((sum, { calls }) => sum + calls, 0)
  return replay.different + count(replay.notReplayable) + count(unanswerable)
}
