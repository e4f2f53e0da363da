import { comparedLines, costLines } from '../backtest/backtest-lines.ts'
import type { BacktestReport, Transition } from '../backtest/backtest-report.ts'
import { usdText } from '../backtest/money-text.ts'
import { percent } from '../replay/replay-report.ts'
import type { CostChange, PlanReport } from './plan-report.ts'
import type { PlanChange } from './semantic-diff.ts'

const marks: Readonly<Record<PlanChange['change'], string>> = {
  added: '+',
  removed: '-',
  changed: '~',
  moved: '↕',
}
const rowsMax = 6
const count = (value: number): string => value.toLocaleString('en')
const usd = (nano: string | null): string => (nano === null ? 'unknown' : usdText(BigInt(nano)))

function headOf({ workspace, environment, digest, deployed }: PlanReport): string {
  const against =
    deployed === null
      ? `nothing is deployed in ${environment}`
      : `v${deployed.version} in ${environment} (${deployed.digest.slice(7, 19)})`
  return `${workspace} ${digest.slice(7, 19)} against ${against}`
}

function costText({ what, environment, inputTokens, before, after }: CostChange): string {
  const at = environment === '' ? '' : ` in ${environment}`
  return `${what}${at}: ${usd(before)} → ${usd(after)} for ${count(inputTokens)} input tokens`
}

/** Outcomes and targets that change, each a text with its calls. */
function movements({ transitions }: BacktestReport): { what: string; row: Transition }[] {
  const { outcome, target, guardrails, prompt } = transitions
  return [
    ...outcome.map((row) => ({ what: '', row })),
    ...target.map((row) => ({ what: '', row })),
    ...guardrails.map((row) => ({ what: 'guardrails ', row })),
    ...prompt.map((row) => ({ what: 'prompt ', row })),
  ]
}

function impactLines(report: PlanReport): string[] {
  const { impact } = report
  if (impact === null) return [`impact    ${report.whyNoImpact}`]
  const { replay } = impact
  const share = replay.replayablePpm === null ? '' : `, ${percent(replay.replayablePpm)} replayable`
  const all = movements(impact)
  const rows = all
    .slice(0, rowsMax)
    .map(
      ({ what, row }) =>
        `  ${count(row.calls).padStart(9)}  ${what}${row.from} → ${row.to}  (${row.examples[0] ?? ''})`,
    )
  return [
    `impact    backtest of ${count(replay.records)} records${share}`,
    ...(replay.different > 0
      ? [
          `          ${replay.different} calls are decided differently here by the very version that decided them`,
        ]
      : []),
    ...comparedLines(impact),
    ...rows,
    ...(all.length > rowsMax ? [`  ${all.length - rowsMax} more (--json)`] : []),
    ...costLines(impact),
    ...impact.thresholds.map(({ passed, text }) => `${passed ? 'ok       ' : 'FAILED   '} ${text}`),
  ]
}

/** A plan in lines for people. */
export function planLines(report: PlanReport): string[] {
  const { changes, weakened, costs, rebuilt, deployed } = report
  const lines = [headOf(report)]
  if (rebuilt)
    lines.push('the deployed sources give another digest here: compiler or catalogue changed since')
  if (changes.length === 0 && deployed !== null) lines.push('no change of meaning')
  for (const { thing, name, change, details } of changes) {
    lines.push(`${marks[change]} ${thing} ${name}`)
    for (const detail of details) lines.push(`    ${detail}`)
  }
  for (const { what, why, file, line } of weakened)
    lines.push(`! WEAKENED ${what}: ${why}  (${file}:${line})`)
  if (costs.length > 0) lines.push('worst case per call', ...costs.map((each) => `  ${costText(each)}`))
  return [...lines, ...impactLines(report)]
}

/** Text of others inside a table or a line of Markdown. */
const escaped = (text: string): string =>
  text.replaceAll(/[\\`*_{}[\]<>|#]/g, (mark) => `\\${mark}`).replaceAll(/[\r\n]+/g, ' ')

function impactMarkdown(report: PlanReport): string[] {
  const { impact } = report
  if (impact === null) return ['', `**Impact:** ${escaped(report.whyNoImpact ?? '')}.`]
  const rows = movements(impact).slice(0, 3 * rowsMax)
  const table = rows.map(
    ({ what, row }) =>
      `| ${what}${escaped(row.from)} | ${escaped(row.to)} | ${count(row.calls)} | \`${row.examples[0] ?? ''}\` |`,
  )
  const figures = [...comparedLines(impact), ...costLines(impact)]
  return [
    '',
    `### Impact on ${count(impact.replay.records)} recorded calls`,
    '',
    ...figures.map((line) => `- ${escaped(line.trim().replaceAll(/\s+/g, ' '))}`),
    ...(table.length === 0
      ? []
      : ['', '| before | after | calls | example |', '|---|---|---:|---|', ...table]),
    ...(impact.thresholds.length === 0
      ? []
      : ['', ...impact.thresholds.map(({ passed, text }) => `- ${passed ? '✅' : '❌'} ${escaped(text)}`)]),
  ]
}

/** Characters of a comment, of which GitHub takes 65,536. */
const markdownMax = 60_000
/** Found again by whoever posts it, so that a pull request has one comment and not one for each push. */
export const planMarker = '<!-- signalbox plan -->'

/** A plan for a pull request. */
export function planMarkdown(report: PlanReport): string {
  const { changes, weakened, costs, rebuilt, deployed } = report
  const lines = [planMarker, `## Signalbox plan`, '', escaped(headOf(report))]
  if (rebuilt)
    lines.push('', 'The deployed sources give another digest here: compiler or catalogue changed since.')
  if (weakened.length > 0) {
    lines.push('', `### ⚠️ ${weakened.length} weakened`, '')
    for (const { what, why, file, line } of weakened)
      lines.push(`- **${escaped(what)}** ${escaped(why)} (\`${file}:${line}\`)`)
  }
  if (changes.length > 0) {
    lines.push('', '### Changes', '')
    for (const { thing, name, change, details } of changes) {
      lines.push(
        `- ${change} ${thing} **${escaped(name)}**${details.length === 0 ? '' : `: ${escaped(details.join('; '))}`}`,
      )
    }
  } else if (deployed !== null) lines.push('', 'No change of meaning.')
  if (costs.length > 0)
    lines.push('', '### Worst case per call', '', ...costs.map((each) => `- ${escaped(costText(each))}`))
  const text = [...lines, ...impactMarkdown(report)].join('\n')
  if (text.length <= markdownMax) return `${text}\n`
  return `${text.slice(0, text.lastIndexOf('\n', markdownMax))}\n\nThe rest is left out; \`signalbox plan\` shows it.\n`
}
