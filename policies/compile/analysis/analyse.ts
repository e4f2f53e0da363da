import type { ProblemList } from '../problem-list.ts'
import {
  type AnalysedWorkspace,
  type Analysis,
  type AnalysisInput,
  analysedWorkspace,
} from './analysed-workspace.ts'
import { constantConditions } from './constant-conditions.ts'
import { emptiedByTwo, emptiedCandidates } from './emptied-candidates.ts'
import { namedTargets } from './named-targets.ts'
import { type LiftedShare, liftedShare } from './opaque-conditions.ts'
import { removedTargets } from './removed-targets.ts'
import { setSizes } from './set-limits.ts'
import { singleTargets } from './single-targets.ts'
import { streamUnsafeGuardrails } from './stream-unsafe-guardrails.ts'
import { undecidedRoutes } from './undecided-routes.ts'
import { unreachableRules } from './unreachable-rules.ts'
import { type CostBound, worstCaseCosts } from './worst-case-cost.ts'

/** All analyses; each is a file of its own. */
const analyses: readonly Analysis[] = [
  setSizes,
  constantConditions,
  unreachableRules,
  undecidedRoutes,
  singleTargets,
  emptiedCandidates,
  emptiedByTwo,
  removedTargets,
  streamUnsafeGuardrails,
  namedTargets,
]

/** What analysis has to tell beside problems. */
export interface AnalysisReport {
  readonly conditions: LiftedShare
  /** The intermediate form that it looked at. */
  readonly workspace: AnalysedWorkspace
  /** Bounds on what a call can cost, for calls of so many input tokens of text. */
  costs(inputTokens?: number): readonly CostBound[]
}
export type { CostBound, LiftedShare }

/** Runs all analyses over a workspace that compiled; what they find goes to the list. */
export function analyse(input: AnalysisInput, problems: ProblemList): AnalysisReport {
  const workspace: AnalysedWorkspace = analysedWorkspace(input)
  // What is wrong in a file comes first; what follows from it would only be noise.
  const broken = new Set([...input.modules.keys()].filter((file) => problems.hasErrors(file)))
  for (const analysis of analyses) {
    for (const { file, position, ...finding } of analysis(workspace)) {
      if (finding.severity === undefined || !broken.has(file)) problems.add(file, position, finding)
    }
  }
  return {
    conditions: liftedShare(workspace),
    workspace,
    costs: (inputTokens) => worstCaseCosts(workspace, inputTokens),
  }
}
