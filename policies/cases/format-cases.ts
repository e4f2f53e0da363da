import { styleText } from 'node:util'
import { linkOf } from '../compile/analysis/problem-codes.ts'
import { type CasesReport, validFile } from './run-cases.ts'

interface FormatOptions {
  readonly colour: boolean
}
type Paint = (format: 'red' | 'green' | 'yellow' | 'bold' | 'dim', text: string) => string

/** Colours where they are wanted. */
export function painter({ colour }: FormatOptions): Paint {
  return (format, text) => (colour ? styleText(format, text, { validateStream: false }) : text)
}

const indented = (text: string): string => text.replaceAll('\n', '\n    ')

/** Cases for people: a line per file, the failed cases with `file:line:column`, and the counts at the end. */
export function formatCases(
  report: Pick<CasesReport, 'results' | 'problems' | 'passed' | 'failed' | 'todo' | 'durationMs'>,
  options: FormatOptions,
): string {
  const paint = painter(options)
  const lines: string[] = []
  for (const [file, results] of Map.groupBy(report.results, (result) => result.file)) {
    const failed = results.filter((result) => !result.passed)
    const mark = failed.length === 0 ? paint('green', 'ok') : paint('red', 'failed')
    const todo = results.filter((result) => result.todo === true)
    const run = results.length - todo.length
    lines.push(`${mark} ${file} ${paint('dim', `${run - failed.length}/${run}`)}`)
    for (const { line, column, name, message } of failed) {
      lines.push(`  ${paint('bold', `${file}:${line}:${column}`)} ${name}`)
      lines.push(`    ${indented(message ?? '')}`)
      if (name === validFile) lines.push(paint('dim', `    see ${linkOf({ code: 'case', file })}`))
    }
    for (const { line, column, name } of todo) {
      lines.push(`  ${paint('bold', `${file}:${line}:${column}`)} ${paint('yellow', 'todo')} ${name}`)
    }
  }
  for (const { file, line, column, message } of report.problems) {
    lines.push(`${paint('bold', `${file}:${line}:${column}`)} ${paint('yellow', 'warning')} ${message}`)
  }
  const todo = report.todo > 0 ? `, ${report.todo} to do` : ''
  const counts = `${report.passed} passed, ${report.failed} failed${todo}`
  lines.push(`${paint(report.failed > 0 ? 'red' : 'green', counts)} in ${report.durationMs} ms`)
  return lines.join('\n')
}
