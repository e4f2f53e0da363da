import { styleText } from 'node:util'
import type { PolicyCoverage } from './coverage.ts'
import type { CasesReport } from './run-cases.ts'

interface FormatOptions {
  readonly colour: boolean
}
type Paint = (format: 'red' | 'green' | 'yellow' | 'bold' | 'dim', text: string) => string

function painter({ colour }: FormatOptions): Paint {
  return (format, text) => (colour ? styleText(format, text, { validateStream: false }) : text)
}

const indented = (text: string): string => text.replaceAll('\n', '\n    ')

/** Cases for people: a line per file, the failed cases with `file:line:column`, and the counts at the end. */
export function formatCases(report: CasesReport, options: FormatOptions): string {
  const paint = painter(options)
  const lines: string[] = []
  for (const [file, results] of Map.groupBy(report.results, (result) => result.file)) {
    const failed = results.filter((result) => !result.passed)
    const mark = failed.length === 0 ? paint('green', 'ok') : paint('red', 'failed')
    lines.push(`${mark} ${file} ${paint('dim', `${results.length - failed.length}/${results.length}`)}`)
    for (const { line, column, name, message } of failed) {
      lines.push(`  ${paint('bold', `${file}:${line}:${column}`)} ${name}`)
      lines.push(`    ${indented(message ?? '')}`)
    }
  }
  for (const { file, line, column, message } of report.problems) {
    lines.push(`${paint('bold', `${file}:${line}:${column}`)} ${paint('yellow', 'warning')} ${message}`)
  }
  const counts = `${report.passed} passed, ${report.failed} failed`
  lines.push(`${paint(report.failed > 0 ? 'red' : 'green', counts)} in ${report.durationMs} ms`)
  return lines.join('\n')
}

const widthMin = 12

function missing(policy: PolicyCoverage, paint: Paint): string[] {
  return policy.conditions.flatMap(({ rule, text, line, column, seenTrue, seenFalse }) => {
    const outcomes = [...(seenTrue ? [] : ['true']), ...(seenFalse ? [] : ['false'])]
    if (outcomes.length === 0) return []
    const place = paint('bold', `${policy.file}:${line}:${column}`)
    return [`  ${place} ${rule}: never ${outcomes.join(' or ')}: ${paint('dim', text)}`]
  })
}

/** Coverage for people: per policy how many conditions were seen both true and false, and which were not. */
export function formatCoverage(report: CasesReport, options: FormatOptions): string {
  const paint = painter(options)
  const width = Math.max(widthMin, ...report.coverage.map(({ policy }) => policy.length))
  const lines = [paint('dim', `${'policy'.padEnd(width)}  both outcomes`)]
  for (const policy of report.coverage) {
    const all = policy.conditions.length
    const both = policy.conditions.filter(({ seenTrue, seenFalse }) => seenTrue && seenFalse).length
    const count = paint(both === all ? 'green' : 'yellow', `${both}/${all}`)
    lines.push(`${policy.policy.padEnd(width)}  ${count}`, ...missing(policy, paint))
  }
  return lines.join('\n')
}
