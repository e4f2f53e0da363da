import { modelsNamedBy } from '../effect-names.ts'
import type { AnalysedWorkspace, PlacedFinding } from './analysed-workspace.ts'
import { unknownTarget } from './unknown-targets.ts'

/** Targets that policies name themselves and that the catalogue does not list; those of aliases are told of there. */
export function namedTargets({ policies, read, catalogue }: AnalysedWorkspace): PlacedFinding[] {
  const rules = policies.flatMap((policy) => policy.rules)
  return rules.flatMap((rule) => {
    const named = (rule.effects ?? []).flatMap(modelsNamedBy).filter((name) => name.includes('/'))
    return [...new Set(named)].flatMap((target): PlacedFinding[] => {
      const message = unknownTarget(target, read.workspace, catalogue)
      if (message === undefined) return []
      return [
        {
          file: rule.file,
          position: rule.thenPosition,
          severity: 'warning',
          code: 'unknown_target',
          message,
        },
      ]
    })
  })
}
