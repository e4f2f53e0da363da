import type { AnalysisReport, CostBound } from '@signalbox/policies'
import type { Output } from './output.ts'

/** Opaque conditions that are named; the others are counted. */
const opaqueMax = 20
const nanoPerUsd = 1_000_000_000n

/** `$0.0125` for 12500000 nano-dollars: exact, rounded up at the sixth place. */
export function formatUsd(nanoUsd: string): string {
  const micro = (BigInt(nanoUsd) + 999n) / 1000n
  const [whole, rest] = [(micro * 1000n) / nanoPerUsd, micro % 1_000_000n]
  const digits = String(rest)
    .padStart(6, '0')
    .replace(/0{1,4}$/, '')
  return `$${whole}.${digits}`
}

function costOf({ costNanoUsd, unpriced, unlimited, inputTokens, attempts }: CostBound): string {
  const tokens = `${inputTokens.toLocaleString('en-US')} input tokens`
  const tries = `${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`
  if (costNanoUsd !== null) return `at most ${formatUsd(costNanoUsd)} per call with ${tokens} (${tries})`
  const reasons = [
    unpriced.length === 0 ? [] : `no price of ${unpriced.join(', ')}`,
    unlimited.length === 0 ? [] : `nothing limits the answers of ${unlimited.join(', ')}`,
  ].flat()
  return `no bound: ${reasons.join('; ')}`
}

/** The bound that counts of several of one route or alias: one that is not known, else the dearest. */
function dearest(bounds: readonly CostBound[]): CostBound | undefined {
  const order = ({ costNanoUsd }: CostBound): bigint => (costNanoUsd === null ? -1n : BigInt(costNanoUsd))
  const unknown = bounds.find(({ costNanoUsd }) => costNanoUsd === null)
  return unknown ?? [...bounds].sort((a, b) => (order(a) < order(b) ? 1 : -1))[0]
}

function costLines(bounds: readonly CostBound[]): string[] {
  const nameOf = ({ route, alias, environment }: CostBound): string => {
    const where = environment === '' ? '' : ` in ${environment}`
    return `${route === undefined ? `alias ${alias}` : `route ${route}`}${where}`
  }
  const names = [...new Set(bounds.map(nameOf))]
  const lines = names.flatMap((name) => {
    const bound = dearest(bounds.filter((each) => nameOf(each) === name))
    if (bound === undefined) return []
    const rule = bound.rule === undefined ? '' : `, by rule "${bound.rule}"`
    return [{ name, plain: name.replace(/ in [^ ]+$/, ''), text: `${costOf(bound)}${rule}` }]
  })
  // An environment that changes nothing is not told of.
  const isNew = ({ name, plain, text }: (typeof lines)[number]): boolean =>
    name === plain || lines.find((each) => each.name === plain)?.text !== text
  return lines.filter(isNew).map(({ name, text }) => `  ${name}: ${text}`)
}

/** What analysis says beside problems: the conditions that it cannot read, and what calls can cost. */
export function analysisLines(
  analysis: AnalysisReport,
  options: { output: Output; inputTokens: number | undefined },
): string[] {
  const { output, inputTokens } = options
  const { opaque } = analysis.conditions
  const places = opaque.slice(0, opaqueMax).map(({ file, position, text, why }) => {
    const place = `${file}:${position.line}:${position.column}`
    return `  ${output.style('dim', place)} not analysable: ${text.slice(0, 80)} (${why})`
  })
  const more = opaque.length > opaqueMax ? [`  … and ${opaque.length - opaqueMax} more`] : []
  return [...places, ...more, ...costLines(analysis.costs(inputTokens))]
}
