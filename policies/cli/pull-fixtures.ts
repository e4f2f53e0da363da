import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadWorkspaceFolder } from '@signalbox/policies'
import type { Client, ListRecordsInput } from '@signalbox/sdk'
import { type Facts, Facts as FactsSchema } from '@signalbox/sdk/contract'
import { fits } from '@signalbox/sdk/node'
import { type Command, Option } from 'commander'
import { parse } from 'yaml'
import { type CliContext, Failure } from './context.ts'
import { fixtureDigest, maskFacts } from './fixture-facts.ts'
import { parseRecordFilter, parseSpan } from './record-filter.ts'
import { wholeNumber } from './test-options.ts'
import { examples } from './verb.ts'

const fixtureFolder = 'fixtures/prod'
const fixtureSuffix = '.facts.json'
const sinceMsDefault = 24 * 3_600_000
const pageSize = 200
/** Records that are looked at for the fixtures of one pull. */
const recordsMax = 5000

interface PullOptions {
  since: number
  where?: ListRecordsInput
  limit: number
  mask: 'default' | 'none'
}
/** The document of `signalbox fixtures pull --json`. */
interface PullReport {
  readonly written: string[]
  /** Records whose facts are a fixture already. */
  readonly duplicates: number
  /** Records that keep no facts, by their class or since nothing was decided. */
  readonly withoutFacts: number
}

/** Digests of the fixtures that are there. */
async function knownFixtures(folder: string): Promise<Set<string>> {
  const names = await readdir(join(folder, fixtureFolder)).catch(() => [])
  const known = new Set<string>()
  for (const name of names.filter((each) => each.endsWith(fixtureSuffix))) {
    const facts: unknown = JSON.parse(await readFile(join(folder, fixtureFolder, name), 'utf8'))
    if (fits(FactsSchema, facts)) known.add(fixtureDigest(facts as Facts))
  }
  return known
}

/** Ids of records that a filter finds, newest first. */
async function* recordIds(client: Client, filter: ListRecordsInput): AsyncGenerator<string> {
  let cursor: string | null | undefined
  let seen = 0
  do {
    const page = await client.listRecords({ ...filter, limit: pageSize, ...(cursor != null && { cursor }) })
    for (const { id } of page.items) yield id
    seen += page.items.length
    cursor = page.nextCursor
  } while (cursor !== null && seen < recordsMax)
}

/** Writes facts of records into a workspace, each once. */
async function pullFixtures(
  { folder, client, nowMs }: { folder: string; client: Client; nowMs: number },
  options: PullOptions,
): Promise<PullReport> {
  const files = await loadWorkspaceFolder(folder)
  const workspace: { metadata?: unknown } = Object(parse(files.get('signalbox.yaml') ?? ''))
  const known = await knownFixtures(folder)
  const report = { written: [] as string[], duplicates: 0, withoutFacts: 0 }
  const filter = { ...options.where, sinceMs: nowMs - options.since }
  for await (const id of recordIds(client, filter)) {
    if (report.written.length >= options.limit) break
    const { body } = await client.getRecord({ id })
    if (body.facts === undefined) {
      report.withoutFacts++
      continue
    }
    const facts = options.mask === 'none' ? body.facts : maskFacts(body.facts, Object(workspace.metadata))
    const digest = fixtureDigest(facts)
    if (known.has(digest)) {
      report.duplicates++
      continue
    }
    known.add(digest)
    const path = `${fixtureFolder}/${id}${fixtureSuffix}`
    await mkdir(join(folder, fixtureFolder), { recursive: true })
    await writeFile(join(folder, path), `${JSON.stringify(facts, null, 2)}\n`)
    report.written.push(path)
  }
  return report
}

/** Adds `fixtures pull` below a command. */
export function addFixturesCommand(parent: Command, context: CliContext): void {
  const { output } = context
  parent
    .command('fixtures')
    .description('facts of real calls as fixtures')
    .command('pull [dir]')
    .description(`write facts of records into ${fixtureFolder}, masked and each once`)
    .addOption(
      new Option('--since <time>', 'how far back: 30m, 24h, 7d')
        .argParser(parseSpan)
        .default(sinceMsDefault, '24h'),
    )
    .option('--where <filter>', 'effect=deny,team=search; may stand again', parseRecordFilter)
    .option('--limit <n>', 'fixtures at most', wholeNumber(1, 1000), 50)
    .addOption(
      new Option('--mask <how>', 'pseudonyms for names, ids and free text, or nothing')
        .choices(['default', 'none'])
        .default('default'),
    )
    .addHelpText(
      'after',
      examples([
        'signalbox fixtures pull --since 7d --where effect=deny',
        'signalbox fixtures pull acme --limit 5',
      ]),
    )
    .action(async (dir: string | undefined, options: PullOptions) => {
      const folder = dir ?? '.'
      const report = await pullFixtures({ folder, client: context.client(), nowMs: Date.now() }, options)
      output.document(report)
      for (const path of report.written) output.line(`${output.style('green', '+')} ${path}`)
      const { written, duplicates, withoutFacts } = report
      output.line(
        `${written.length} fixtures written, ${duplicates} calls had facts that are one already, ` +
          `${withoutFacts} records keep no facts`,
      )
      if (written.length + duplicates === 0) throw new Failure('no record with facts was found', 'not_found')
    })
}
