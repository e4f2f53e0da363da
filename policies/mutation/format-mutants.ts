import { painter } from '../cases/format-cases.ts'
import type { MutationReport } from './run-mutants.ts'

/** Mutants for people: how many were killed, and each that no case objected to with its place. */
export function formatMutants(report: MutationReport, options: { readonly colour: boolean }): string {
  const paint = painter(options)
  const { killed, survivors, notRun } = report
  const all = killed + survivors.length
  const counts = `mutants ${killed} killed of ${all}`
  const left = notRun > 0 ? paint('yellow', `, ${notRun} not run: the time is over`) : ''
  return [
    `${paint(survivors.length === 0 ? 'green' : 'yellow', counts)}${left} in ${report.durationMs} ms`,
    ...survivors.map(
      ({ file, line, column, description }) =>
        `  ${paint('bold', `${file}:${line}:${column}`)} survived: ${description}`,
    ),
  ].join('\n')
}
