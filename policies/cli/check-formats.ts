import { join } from 'node:path'
import type { ProblemDetail } from '@signalbox/sdk'

/** Problems as SARIF 2.1.0, for code scanning. */
export function sarifReport(problems: readonly ProblemDetail[]): unknown {
  const codes = [...new Set(problems.map((problem) => problem.code))]
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'signalbox', rules: codes.map((id) => ({ id })) } },
        results: problems.map((problem) => ({
          ruleId: problem.code,
          level: problem.severity,
          message: { text: problem.message },
          locations: [
            {
              physicalLocation: {
                artifactLocation: { uri: problem.file },
                region: { startLine: problem.line, startColumn: problem.column },
              },
            },
          ],
        })),
      },
    ],
  }
}

const escapeData = (text: string): string =>
  text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')

/** Problems as GitHub workflow commands, which become annotations on the changed lines. */
export function githubAnnotations(problems: readonly ProblemDetail[], folder: string): string[] {
  return problems.map(({ severity, file, line, column, message, code }) => {
    const place = `file=${join(folder, file)},line=${line},col=${column},title=${code}`
    return `::${severity} ${place}::${escapeData(message)}`
  })
}
