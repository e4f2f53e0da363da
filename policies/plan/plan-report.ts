import type { BacktestReport } from '../backtest/backtest-report.ts'
import type { CostBound } from '../compile/analysis/analyse.ts'
import type { PlanSide } from './plan-side.ts'
import { type PlanChange, semanticDiff } from './semantic-diff.ts'
import { type Weakening, weakenings } from './weakened.ts'

/** The most that a call can cost by a rule or an alias, where that changes. Nano-dollars; null: not known. */
export interface CostChange {
  /** `pick/polish`, `alias smart`. */
  readonly what: string
  readonly environment: string
  readonly inputTokens: number
  readonly before: string | null
  readonly after: string | null
}
/** The document of `signalbox plan --json`. */
export interface PlanReport {
  readonly workspace: string
  readonly environment: string
  readonly digest: string
  /** What is deployed; null where nothing is. */
  readonly deployed: { readonly version: number; readonly digest: string } | null
  /** The deployed sources came out as another digest here: another compiler or catalogue built them. */
  readonly rebuilt: boolean
  readonly changes: readonly PlanChange[]
  readonly weakened: readonly Weakening[]
  readonly costs: readonly CostChange[]
  /** Null where it was not asked for, or there are no records; `whyNoImpact` says which. */
  readonly impact: BacktestReport | null
  readonly whyNoImpact: string | null
}
export interface PlanOptions {
  readonly environment: string
  readonly inputTokens?: number
  readonly deployed: { readonly version: number; readonly digest: string; readonly side: PlanSide } | null
  readonly after: PlanSide
  readonly impact: BacktestReport | { readonly none: string }
}

const keyOf = ({ route, rule, alias }: CostBound): string =>
  alias === undefined ? `${route}/${rule}` : `alias ${alias}`

/** Worst cases that differ between two versions. */
export function costChanges(
  before: PlanSide | undefined,
  after: PlanSide,
  inputTokens: number | undefined,
): CostChange[] {
  const [old, now] = [before?.analysis.costs(inputTokens) ?? [], after.analysis.costs(inputTokens)]
  const all = new Map<string, { before?: CostBound; after?: CostBound }>()
  for (const bound of old) all.set(`${keyOf(bound)} ${bound.environment}`, { before: bound })
  for (const bound of now) {
    const key = `${keyOf(bound)} ${bound.environment}`
    all.set(key, { ...all.get(key), after: bound })
  }
  return [...all.values()].flatMap((each): CostChange[] => {
    const bound = each.after ?? each.before
    const [was, is] = [each.before?.costNanoUsd ?? null, each.after?.costNanoUsd ?? null]
    if (bound === undefined || (was === is && each.before !== undefined && each.after !== undefined))
      return []
    const { environment, inputTokens: tokens } = bound
    return [{ what: keyOf(bound), environment, inputTokens: tokens, before: was, after: is }]
  })
}

/** Puts a plan together: what changes, what is weakened, what it can cost, what it would have done. */
export function planReport(options: PlanOptions): PlanReport {
  const { environment, deployed, after, impact, inputTokens } = options
  const before = deployed?.side
  const isNone = 'none' in impact
  return {
    workspace: after.version.compiled.name,
    ...{ environment, digest: after.digest },
    deployed: deployed === null ? null : { version: deployed.version, digest: deployed.digest },
    rebuilt: deployed !== null && deployed.side.digest !== deployed.digest,
    changes: before === undefined ? [] : semanticDiff(before, after),
    weakened: before === undefined ? [] : weakenings(before, after),
    costs: costChanges(before, after, inputTokens),
    impact: isNone ? null : impact,
    whyNoImpact: isNone ? impact.none : null,
  }
}
