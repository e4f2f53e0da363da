import { type CostChange, costChanges } from './plan-report.ts'
import type { PlanSide } from './plan-side.ts'
import { type PlanChange, semanticDiff } from './semantic-diff.ts'
import { type Weakening, weakenings } from './weakened.ts'

/** What one version means differently from another, without any recorded call. */
export interface VersionDiff {
  /** Digests that the sources give here. */
  readonly digests: { readonly before: string; readonly after: string }
  readonly changes: readonly PlanChange[]
  readonly weakened: readonly Weakening[]
  readonly costs: readonly CostChange[]
}

/** Compares two versions: what changes, what is weakened, what a call can cost at most. */
export function versionDiff(before: PlanSide, after: PlanSide): VersionDiff {
  return {
    digests: { before: before.digest, after: after.digest },
    changes: semanticDiff(before, after),
    weakened: weakenings(before, after),
    costs: costChanges(before, after, undefined),
  }
}
