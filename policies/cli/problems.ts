import type { ProblemDetail } from '@signalbox/sdk'
import { Failure } from './context.ts'
import type { Output } from './output.ts'

const colours = { error: 'red', warning: 'yellow', note: 'cyan' } as const

/** `file:line:column error message [code]`, as editors and CI read it. */
export function formatProblem(problem: ProblemDetail, output: Output): string {
  const { severity, file, line, column, message, code } = problem
  const colour = colours[severity]
  const place = output.style('bold', `${file}:${line}:${column}`)
  return `${place} ${output.style(colour, severity)} ${message} ${output.style('dim', `[${code}]`)}`
}

/** The same with what stands at its place and where it is explained, each on a line of its own. */
export function explainedProblem(problem: ProblemDetail, output: Output): string {
  const { text, link } = problem
  const more = [text === undefined ? [] : `  | ${text}`, link === undefined ? [] : `  see ${link}`].flat()
  return [formatProblem(problem, output), ...more.map((line) => output.style('dim', line))].join('\n')
}

/** Prints problems; throws a Failure where one of them is an error. */
export function reportProblems(problems: readonly ProblemDetail[], output: Output): void {
  for (const problem of problems) output.note(explainedProblem(problem, output))
  const errors = problems.filter((problem) => problem.severity === 'error').length
  if (errors > 0)
    throw new Failure(`${errors} ${errors === 1 ? 'error' : 'errors'}`, 'check_failed', problems)
}
