import type { Problem } from '@signalbox/sdk/contract'
import type { SourceFiles } from '../compile/built-version.ts'
import { readRequiredCoverage } from '../workspace/read-coverage.ts'
import type { PolicyCoverage } from './coverage.ts'
import { shortfalls, uncovered } from './coverage-figures.ts'

/**
 * What keeps a version from an environment that asks for more coverage than its cases have: the figures, at the
 * place in `signalbox.yaml` that asks, then everything that no case saw. Empty where they suffice.
 */
export function coverageProblems(
  coverage: readonly PolicyCoverage[],
  files: SourceFiles,
  environment: string,
): Problem[] {
  const required = readRequiredCoverage(files, environment)
  if (required === undefined) return []
  const [found] = shortfalls(coverage, { all: required.percent })
  if (found === undefined) return []
  const { line, column } = required
  const message = `${found} for the environment "${environment}"`
  const first: Problem = {
    severity: 'error',
    code: 'coverage',
    file: 'signalbox.yaml',
    line,
    column,
    message,
  }
  return [first, ...uncovered(coverage)]
}
