import { startOfFile } from '../text-position.ts'
import type { AnalysedWorkspace, PlacedFinding } from './analysed-workspace.ts'

/** Limits of what one workspace holds, beside those of its sources and its script. */
export const setLimits = {
  /** Constraints and routes. */
  policies: 1024,
  guardrails: 256,
  prompts: 1024,
  /** Paths of facts that all policies together read; each is looked up in every call. */
  factPaths: 512,
} as const

/** Sets that are larger than a gateway takes, with the figure and the limit. */
export function setSizes({ compiled }: Pick<AnalysedWorkspace, 'compiled'>): PlacedFinding[] {
  const figures: readonly [count: number, limit: number, what: string][] = [
    [compiled.policies.length, setLimits.policies, 'policies'],
    [compiled.guardrails.length, setLimits.guardrails, 'guardrails'],
    [compiled.prompts.length, setLimits.prompts, 'prompts'],
    [compiled.reads.length, setLimits.factPaths, 'paths of facts that its policies read'],
  ]
  return figures.flatMap(([count, limit, what]) => {
    if (count <= limit) return []
    const message = `the workspace has ${count} ${what}; at most ${limit} are possible`
    return [{ file: 'signalbox.yaml', position: startOfFile, code: 'set_too_large', message }]
  })
}
