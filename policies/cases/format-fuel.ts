import { factsBytesMax } from '@signalbox/sdk/contract'
import { withDefaults } from '../sandbox/limits.ts'
import { painter } from './format-cases.ts'
import type { FuelFigures } from './fuel-counter.ts'

const headings = ['policy', 'evaluations', 'fuel p50', 'p99', 'max', 'facts max'] as const

function shareOf(value: number, limit: number): string {
  const percent = (value * 100) / limit
  return percent < 0.1 ? '< 0.1 %' : `${percent.toFixed(1)} %`
}

/** Fuel and size of facts for people, by policy, and the largest against their limits. */
export function formatFuel(
  { fuel }: { readonly fuel: readonly FuelFigures[] },
  options: { readonly colour: boolean },
): string {
  const paint = painter(options)
  const number = (value: number): string => value.toLocaleString('en-US')
  const rows = fuel.map((each) => [
    each.policy ?? 'all together',
    number(each.evaluations),
    number(each.fuelP50),
    number(each.fuelP99),
    number(each.fuelMax),
    `${number(each.factsBytesMax)} B`,
  ])
  const widths = headings.map((heading, at) =>
    Math.max(heading.length, ...rows.map((row) => row[at]?.length ?? 0)),
  )
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join('  ')
  const fuelMax = Math.max(0, ...fuel.map((each) => each.fuelMax))
  const bytesMax = Math.max(0, ...fuel.map((each) => each.factsBytesMax))
  const limit = withDefaults({}).fuel
  return [
    paint('dim', line(headings)),
    ...rows.map(line),
    `fuel max ${number(fuelMax)} of ${number(limit)} (${shareOf(fuelMax, limit)}), ` +
      `facts max ${number(bytesMax)} of ${number(factsBytesMax)} B (${shareOf(bytesMax, factsBytesMax)})`,
  ].join('\n')
}
