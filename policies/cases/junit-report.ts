import type { CasesReport } from './run-cases.ts'

function escapeXml(text: string): string {
  const clean = text.replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
  return clean
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll('\n', '&#10;')
}

/** Cases as JUnit XML, which CI services read: a suite per file, a test case per case. */
export function junitReport(report: CasesReport): string {
  const suites = [...Map.groupBy(report.results, (result) => result.file)].map(([file, results]) => {
    const cases = results.map(({ name, line, passed, todo, message = '' }) => {
      const place = `classname="${escapeXml(file)}" file="${escapeXml(file)}" line="${line}"`
      const head = `    <testcase name="${escapeXml(name)}" ${place}`
      if (todo === true) return `${head}>\n      <skipped message="todo"/>\n    </testcase>`
      if (passed) return `${head}/>`
      return `${head}>\n      <failure message="${escapeXml(message)}"/>\n    </testcase>`
    })
    const failures = results.filter((result) => !result.passed).length
    const head = `  <testsuite name="${escapeXml(file)}" tests="${results.length}" failures="${failures}">`
    return [head, ...cases, '  </testsuite>'].join('\n')
  })
  const { results, failed, durationMs } = report
  const counts = `tests="${results.length}" failures="${failed}" time="${(durationMs / 1000).toFixed(3)}"`
  const open = `<testsuites name="signalbox" ${counts}>`
  return ['<?xml version="1.0" encoding="UTF-8"?>', open, ...suites, '</testsuites>', ''].join('\n')
}
