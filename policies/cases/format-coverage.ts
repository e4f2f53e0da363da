import type { PolicyCoverage } from './coverage.ts'
import {
  type CoverageCount,
  type CoverageFigures,
  coverageMetrics,
  figuresOf,
  overallCount,
  percentOf,
  totalFigures,
  uncovered,
} from './coverage-figures.ts'
import { painter } from './format-cases.ts'

const widthMin = 12

function cell({ covered, total }: CoverageCount): string {
  return total === 0 ? '–' : `${covered}/${total}`
}

/**
 * Coverage for people: a line per policy, guardrail and prompt, what all come to, and under it everything that no
 * case saw, with its place.
 */
export function formatCoverage(
  { coverage }: { readonly coverage: readonly PolicyCoverage[] },
  options: { readonly colour: boolean },
): string {
  const paint = painter(options)
  const width = Math.max(widthMin, ...coverage.map(({ policy }) => policy.length))
  const row = (name: string, figures: CoverageFigures): string => {
    const cells = coverageMetrics.map((metric) => {
      const { covered, total } = figures[metric]
      const text = cell(figures[metric]).padEnd(metric.length)
      if (metric === 'lifted') return text
      return covered === total ? text : paint('yellow', text)
    })
    return [name.padEnd(width), ...cells].join('  ').trimEnd()
  }
  const missing = uncovered(coverage)
  const overall = overallCount(coverage)
  const lines = [
    paint('dim', ['policy'.padEnd(width), ...coverageMetrics].join('  ')),
    ...coverage.map((policy) => row(policy.policy, figuresOf(policy))),
    row('all', totalFigures(coverage)),
    ...(missing.length === 0 ? [] : ['no case has seen:']),
    ...missing.map(
      ({ file, line, column, message }) => `  ${paint('bold', `${file}:${line}:${column}`)} ${message}`,
    ),
  ]
  const isFull = overall.covered === overall.total
  const sentence = `coverage ${percentOf(overall)} % (${overall.covered} of ${overall.total})`
  return [...lines, paint(isFull ? 'green' : 'yellow', sentence)].join('\n')
}
