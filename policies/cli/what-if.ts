import { createReadStream, existsSync } from 'node:fs'
import { join } from 'node:path'
import {
  changeSpan,
  indexCatalogue,
  lineBatches,
  linesOf,
  loadCatalogue,
  type NamedPrices,
  pricesOfVersions,
  readExportedRecord,
  usdText,
  WhatIf,
  type WhatIfReport,
  type WhatIfSum,
} from '@signalbox/policies'
import type { Client, ListRecordsInput } from '@signalbox/sdk'
import type { RecordRow } from '@signalbox/sdk/contract'
import { versionOfFolder } from './candidate-version.ts'
import { type CliContext, Failure } from './context.ts'
import type { Output } from './output.ts'
import type { RecordSelection } from './record-source.ts'

const pageRows = 1000
const groupsShown = 20
const targetsShown = 4

async function* searchedRows(client: Client, filter: ListRecordsInput): AsyncGenerator<RecordRow> {
  let cursor: string | null = null
  do {
    const page: Awaited<ReturnType<Client['listRecords']>> = await client.listRecords({
      ...filter,
      limit: pageRows,
      ...(cursor !== null && { cursor }),
    })
    yield* page.items as RecordRow[]
    cursor = page.nextCursor
  } while (cursor !== null)
}

async function* savedRows(file: string): AsyncGenerator<RecordRow> {
  for await (const batch of lineBatches(createReadStream(file))) {
    for (const line of linesOf(batch)) {
      const record = readExportedRecord(line, { check: true })
      if (record !== undefined) yield record.row
    }
  }
}

/** Names and prices of a workspace where there is one, else those of the catalogue alone. */
async function pricesFor(
  folder: string | undefined,
  output: Output,
  environment: string,
): Promise<NamedPrices> {
  const catalogue = indexCatalogue(loadCatalogue().catalogue)
  const hasWorkspace = folder !== undefined || existsSync(join('.', 'signalbox.yaml'))
  const versions = hasWorkspace ? [await versionOfFolder(folder ?? '.', output)] : []
  return pricesOfVersions(versions, { environment, catalogue })
}

const changePpm = ({ costNanoUsd, whatIfNanoUsd }: WhatIfSum): number | null => {
  const before = BigInt(costNanoUsd)
  if (whatIfNanoUsd === null || before === 0n) return null
  return Number(((BigInt(whatIfNanoUsd) - before) * 1_000_000n) / before)
}

function cells(name: string, sum: WhatIfSum): string[] {
  const perCall = sum.costPerCallNanoUsd === null ? '—' : usdText(BigInt(sum.costPerCallNanoUsd))
  const row = [name, sum.calls.toLocaleString('en'), usdText(BigInt(sum.costNanoUsd)), perCall]
  if (sum.whatIfNanoUsd === null) return row
  const ppm = changePpm(sum)
  return [...row, usdText(BigInt(sum.whatIfNanoUsd)), ppm === null ? '—' : changeSpan(ppm, ppm)]
}

function print(report: WhatIfReport, output: Output): void {
  output.document(report)
  const { target, by, answered, records, total, groups } = report
  output.line(`${records.toLocaleString('en')} records, ${answered.toLocaleString('en')} calls answered`)
  const headings = [
    by ?? 'target',
    'calls',
    'cost',
    'per call',
    ...(target === null ? [] : [`with ${target}`, 'change']),
  ]
  const rows = groups
    .slice(0, groupsShown)
    .flatMap((group) => [
      cells(group.group, group),
      ...(by === null || by === 'target'
        ? []
        : group.targets.slice(0, targetsShown).map((each) => cells(`  ${each.target}`, each))),
    ])
  output.table(headings, [...rows, cells('all', total)])
  if (groups.length > groupsShown) output.line(`${groups.length - groupsShown} more groups (--json)`)
  if (total.unpriced > 0) output.line(`${total.unpriced.toLocaleString('en')} calls have no known price`)
  if ((total.whatIfUnknown ?? 0) > 0) {
    output.line(
      `${total.whatIfUnknown?.toLocaleString('en')} calls cannot be priced with ${target}: no usage or no price`,
    )
  }
  output.line(output.style('dim', report.assumptions.join(' ')))
}

/** What calls cost by group, and what they would have cost with another model. */
export async function runWhatIf(
  context: CliContext,
  {
    selection,
    folder,
    model,
    by,
  }: {
    selection: RecordSelection
    folder: string | undefined
    model: string | undefined
    by: string | undefined
  },
): Promise<void> {
  const { output, config } = context
  const { prices, target: nameOf } = await pricesFor(folder, output, config.environment)
  const target = model === undefined ? undefined : nameOf(model)
  if (model !== undefined && (target === undefined || prices(target) === undefined)) {
    throw new Failure(`the price of "${model}" is not known: name it in \`catalogue:\``, 'price_unknown')
  }
  const whatIf = new WhatIf({
    prices,
    ...(target !== undefined && { target }),
    ...(by !== undefined && { by }),
  })
  const { from, filter, limit = Number.POSITIVE_INFINITY } = selection
  let done = 0
  for await (const row of from === undefined ? searchedRows(context.client(), filter) : savedRows(from)) {
    if (done >= limit) break
    whatIf.add(row)
    if (++done % pageRows === 0) output.progress(`${done} records`)
  }
  output.progress('')
  print(whatIf.report(loadCatalogue().digest), output)
}
