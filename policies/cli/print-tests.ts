import { formatCases, formatCoverage, formatFuel, formatMutants, uncovered } from '@signalbox/policies'
import type { ProblemDetail } from '@signalbox/sdk'
import { githubAnnotations, sarifReport } from './check-formats.ts'
import type { Output } from './output.ts'
import { formatProblem } from './problems.ts'
import type { TestOptions } from './test-options.ts'
import type { TestReport } from './test-workspace.ts'

/** Everything that a report objects to, as problems at their places; what no case saw where that was asked. */
export function problemsOfTests(report: TestReport, options: TestOptions): ProblemDetail[] {
  const failed = report.results.flatMap(
    ({ passed, file, line, column, name, message = '' }): ProblemDetail[] => {
      if (passed) return []
      return [
        { severity: 'error', code: 'case_failed', file, line, column, message: `case "${name}": ${message}` },
      ]
    },
  )
  const asksCoverage = options.coverage === true || options.min !== undefined || options.env !== undefined
  const survivors = report.mutants?.survivors.map(({ description, ...place }): ProblemDetail => {
    return {
      severity: 'warning',
      code: 'mutant_survived',
      ...place,
      message: `no case notices ${description}`,
    }
  })
  return [
    ...failed,
    ...report.refusals,
    ...report.problems,
    ...(asksCoverage ? uncovered(report.coverage) : []),
    ...(survivors ?? []),
  ]
}

function printText(report: TestReport, options: TestOptions, output: Output): void {
  const colour = { colour: output.colour }
  output.line(formatCases(report, colour))
  if (report.propertyRuns > 0) output.line(`${report.propertyRuns} facts tried for properties`)
  const isShort = report.refusals.some(({ code }) => code === 'coverage')
  if (options.coverage === true || isShort) output.line(`\n${formatCoverage(report, colour)}`)
  if (options.fuel === true) output.line(`\n${formatFuel(report, colour)}`)
  if (report.mutants !== undefined) output.line(`\n${formatMutants(report.mutants, colour)}`)
  for (const problem of report.refusals) output.note(formatProblem(problem, output))
}

/** Prints a report in the format that was asked for. */
export function printTests(
  report: TestReport,
  { options, folder, output }: { options: TestOptions; folder: string; output: Output },
): void {
  if (options.json === true || options.format === 'json') {
    output.json = true
    output.document(report)
  } else if (options.format === 'sarif') {
    output.line(JSON.stringify(sarifReport(problemsOfTests(report, options), folder), null, 2))
  } else if (options.format === 'github') {
    for (const line of githubAnnotations(problemsOfTests(report, options), folder)) output.line(line)
  } else printText(report, options, output)
}
