import { join } from 'node:path'
import type { ProblemDetail } from '@signalbox/sdk'

/** Problems as SARIF 2.1.0, for code scanning. Places are relative to the folder that the check was started in. */
export function sarifReport(problems: readonly ProblemDetail[], folder = '.'): unknown {
  const links = new Map(problems.map(({ code, link }) => [code, link]))
  const rules = [...links].map(([id, link]) => ({
    id,
    ...(link !== undefined && { help: { text: `See ${link}` } }),
  }))
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'signalbox', rules } },
        results: problems.map((problem) => ({
          ruleId: problem.code,
          level: problem.severity,
          message: { text: problem.message },
          locations: [
            {
              physicalLocation: {
                artifactLocation: { uri: join(folder, problem.file).replaceAll('\\', '/') },
                region: {
                  startLine: problem.line,
                  startColumn: problem.column,
                  ...(problem.text !== undefined && { snippet: { text: problem.text } }),
                },
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
const escapeProperty = (text: string): string =>
  escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
const commands = { error: 'error', warning: 'warning', note: 'notice' } as const

/** Problems as GitHub workflow commands, which become annotations on the changed lines. */
export function githubAnnotations(problems: readonly ProblemDetail[], folder: string): string[] {
  return problems.map(({ severity, file, line, column, message, code, text, link }) => {
    const place = `file=${escapeProperty(join(folder, file))},line=${line},col=${column},title=${escapeProperty(code)}`
    const more = [text === undefined ? [] : `at: ${text}`, link === undefined ? [] : `see ${link}`].flat()
    return `::${commands[severity]} ${place}::${escapeData([message, ...more].join('\n'))}`
  })
}
