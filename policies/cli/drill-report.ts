import { readFile } from 'node:fs/promises'
import { checkGolden } from '@signalbox/policies'
import type { ListDrillsReply } from '@signalbox/sdk'
import { type DrillResult, GoldenPrompt, goldenPromptsMax, type ScoreCard } from '@signalbox/sdk/contract'
import { describeViolations, violationsOf } from '@signalbox/sdk/node'
import { Type } from 'typebox'
import { parse } from 'yaml'
import { formatUsd } from './analysis-lines.ts'
import { Failure } from './context.ts'
import type { Output } from './output.ts'

type DrilledRoute = ListDrillsReply['items'][number]

const GoldenFile = Type.Array(GoldenPrompt, { minItems: 1, maxItems: goldenPromptsMax })

/** Golden prompts of a YAML or JSON file: a list of `{ name, messages, expect }`. @throws Failure. */
export async function readGolden(file: string): Promise<GoldenPrompt[]> {
  let value: unknown
  try {
    value = parse(await readFile(file, 'utf8'), { maxAliasCount: 100 })
  } catch (error) {
    throw new Failure(`${file} cannot be read: ${(error as Error).message}`)
  }
  const violations = violationsOf(GoldenFile, value)
  if (violations.length > 0) throw new Failure(`${file}: ${describeViolations(violations)}`)
  // It fits the schema, as was just checked.
  const golden = value as GoldenPrompt[]
  try {
    golden.forEach(checkGolden)
  } catch (error) {
    throw new Failure(`${file}: ${(error as Error).message}`)
  }
  return golden
}

export const faultText = ({ fault, targets }: DrillResult): string =>
  targets === 1 ? fault : `${fault}, first ${targets} targets`

/** A score card per route: what held, and each thing that did not with the record that explains it. */
export function printCards(cards: readonly ScoreCard[], output: Output): void {
  for (const { model, held, of, results, stopped, costNanoUsd } of cards) {
    const colour = held === of ? 'green' : 'red'
    const cost = costNanoUsd === '0' ? '' : `  ${formatUsd(costNanoUsd)}`
    const rest = stopped === undefined ? '' : `  stopped after ${results.length}: it has cost what it may`
    output.line(
      `${output.style('bold', model)}  ${output.style(colour, `${held} of ${of} held`)}${cost}${rest}`,
    )
    output.table(
      ['  FAULT', 'STREAM', 'OUTCOME', 'ANSWERED BY', 'STATUS', 'MS', 'RECORD'],
      results.map((result) => [
        `  ${faultText(result)}`,
        result.stream ? 'yes' : 'no',
        [result.outcome, ...(result.unmet ?? [])].join(', '),
        result.target ?? '-',
        String(result.status),
        String(result.ms),
        result.outcome === 'held' ? '' : (result.decision ?? '-'),
      ]),
    )
  }
}

const timeText = (timeMs: number | null): string =>
  timeMs === null ? 'never' : new Date(timeMs).toISOString().slice(0, 16).replace('T', ' ')

/** How the routes stand: a line each. */
export function printRoutes(routes: readonly DrilledRoute[], output: Output): void {
  output.table(
    ['ENVIRONMENT', 'ROUTE', 'STATE', 'PROVEN', 'LAST RUN', 'HELD', 'COST', 'EVERY'],
    routes.map(({ environment, model, unproven, provenMs, runs, schedule }) => {
      const [last] = runs
      return [
        environment,
        model,
        unproven
          ? output.style('red', 'unproven')
          : provenMs === null
            ? '-'
            : output.style('green', 'proven'),
        timeText(provenMs),
        last === undefined ? 'none yet' : timeText(last.timeMs),
        last === undefined ? '' : (last.error ?? `${last.held} of ${last.of}`),
        last === undefined ? '' : formatUsd(last.costNanoUsd),
        schedule === null ? 'by hand' : `${Math.round(schedule.everyMs / 60_000)} min`,
      ]
    }),
  )
}
