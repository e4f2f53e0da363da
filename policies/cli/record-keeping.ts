import type { Client } from '@signalbox/sdk'
import { factsClasses } from '@signalbox/sdk/contract'
import { type Command, Option } from 'commander'
import { type CliContext, Failure } from './context.ts'
import { parseDuration } from './duration.ts'
import { parseRecordFilter } from './record-filter.ts'
import { dollars } from './record-line.ts'
import { exportedPages } from './record-source.ts'
import { examples } from './verb.ts'

type Rule = Awaited<ReturnType<Client['setRetention']>>
type Wanted = Parameters<Client['setRetention']>[0]
interface Owner {
  env?: string
  team?: string
  key?: string
}
type SetOptions = Owner & { keep: string; rows?: string; facts?: Rule['facts']; mask?: string }
type ExportOptions = Owner & {
  where?: ReturnType<typeof parseRecordFilter>
  since?: string
  until?: string
  cursor?: string
  limit?: string
}
type UsageOptions = Pick<Owner, 'env' | 'team'> & {
  by: 'target' | 'node' | 'key' | 'metadata'
  name?: string
  since: string
}

/** A moment: a date, or so long ago. @throws Failure. */
export function parseMoment(text: string, nowMs = Date.now()): number {
  if (/^\d+[smhdw]$/.test(text)) return nowMs - parseDuration(text)
  const timeMs = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(timeMs)) throw new Failure(`"${text}" is no time like 7d or 2026-12-31`, 'usage')
  return timeMs
}

/** Whole records as NDJSON on stdout, however many; the cursor goes to stderr, so that a broken one can go on. */
export function registerExport(records: Command, { client, output }: CliContext): void {
  records
    .command('export')
    .description('write whole records as NDJSON, oldest first')
    .option('--env <environment>', 'of this environment')
    .option('--team <team>', 'of this team and all below')
    .option('--key <id>', 'of this key')
    .option('--where <filter>', 'effect=deny,target=openai/gpt-5.5; may stand again', parseRecordFilter)
    .option('--since <time>', '7d, or a date')
    .option('--until <time>', '1d, or a date; now if left out')
    .option('--cursor <cursor>', 'go on where an earlier export ended')
    .option('--limit <n>', 'so many at most')
    .addHelpText('after', examples(['signalbox records export --since 7d --env production > records.ndjson']))
    .action(async ({ env, team, key, where, since, until, cursor, limit }: ExportOptions) => {
      if (limit !== undefined && !/^[1-9]\d{0,8}$/.test(limit)) throw new Failure('--limit is a whole number')
      const filter = {
        ...where,
        ...(env !== undefined && { environment: env }),
        ...(team !== undefined && { team }),
        ...(key !== undefined && { key }),
        ...(since !== undefined && { sinceMs: parseMoment(since) }),
        untilMs: until === undefined ? Date.now() : parseMoment(until),
      }
      let count = 0
      const selection = { filter, ...(limit !== undefined && { limit: Number(limit) }) }
      const from = cursor === undefined ? {} : { cursor }
      for await (const { lines, nextCursor } of exportedPages(client(), { ...selection, ...from })) {
        for (const byte of lines) if (byte === 10) count++
        await output.raw(lines)
        output.progress(`${count} records`)
        if (nextCursor !== null) output.note(`cursor ${nextCursor}`)
      }
      output.note(`${count} records`)
    })
}

/** Takes one end user out of all records. */
export function registerErase(records: Command, { client, output }: CliContext): void {
  records
    .command('erase')
    .description('take an end user out of all records: bodies, metadata, sums')
    .requiredOption('--user <user>', 'as calls named him')
    .addHelpText('after', examples(['signalbox records erase --user u-4711']))
    .action(async ({ user }: { user: string }) => {
      const sum = { records: 0, segments: 0, done: false }
      while (!sum.done) {
        const reply = await client().eraseRecords({ user })
        sum.records += reply.records
        sum.segments += reply.segments
        sum.done = reply.done
        if (!reply.done) output.progress(`${sum.records} records`)
      }
      output.document(sum)
      output.line(`${sum.records} records of ${user} are erased, in ${sum.segments} segments`)
    })
}

function placeOf({ environment, team, key }: Rule): string {
  if (environment !== undefined) return `environment ${environment}`
  if (key !== undefined) return `key ${key.name}`
  return team?.path === '' ? '(organisation)' : (team?.path ?? '')
}
const daysText = (kept: Rule['bodies'] | Rule['rows']): string =>
  typeof kept === 'number' ? `${kept} days` : kept

const factsText = ({ facts, mask }: Rule): string =>
  mask === undefined ? facts : `${facts} (${mask.join(', ')})`

/** `none`, `forever`, `30` or `30d`. @throws Failure. */
function keptOf(option: string, text: string): Wanted['bodies'] {
  if (text === 'none' || text === 'forever') return text
  const [, days = ''] = /^([1-9]\d{0,4})d?$/.exec(text) ?? []
  if (days === '') throw new Failure(`--${option} is a number of days, none or forever; not "${text}"`)
  return Number(days)
}

function registerSet(retention: Command, { client, output }: CliContext): void {
  const facts = new Option('--facts <class>', 'facts that are recorded; full if left out')
  facts.choices([...factsClasses])
  retention
    .command('set')
    .description('how long records are kept; the shortest on the path of a call wins')
    .option('--env <environment>', 'of this environment')
    .option('--team <team>', 'of this team and all below; the name of the organisation means all of it')
    .option('--key <id>', 'of this key')
    .requiredOption('--keep <days>', 'bodies: a number of days, none (metering and digests only), forever')
    .option('--rows <days>', 'rows: a number of days, forever; 400 if left out')
    .addOption(facts)
    .option(
      '--mask <paths>',
      'what is masked: subject.userId,request.metadata.email; if left out, who somebody is',
    )
    .addHelpText(
      'after',
      examples([
        'signalbox records retention set --team search --keep 30',
        'signalbox records retention set --team health --keep 14 --facts masked',
        'signalbox records retention set --env production --keep none',
      ]),
    )
    .action(async (options: SetOptions) => {
      const { env, team, key, mask } = options
      const rows = options.rows === undefined ? undefined : keptOf('rows', options.rows)
      if (rows === 'none') throw new Failure('--rows cannot be none: rows are the metering')
      const rule = await client().setRetention({
        ...(env !== undefined && { environment: env }),
        ...(team !== undefined && { team }),
        ...(key !== undefined && { key }),
        bodies: keptOf('keep', options.keep),
        ...(rows !== undefined && { rows }),
        ...(options.facts !== undefined && { facts: options.facts }),
        ...(mask !== undefined && { mask: mask.split(',').map((path) => path.trim()) }),
      })
      output.document(rule)
      const kept = `bodies ${daysText(rule.bodies)}, rows ${daysText(rule.rows)}`
      output.line(`${placeOf(rule)}: ${kept}, facts ${factsText(rule)}`)
      if (rule.pending !== undefined) output.note(`waiting for ${rule.pending.join(', ')}`)
    })
}

/** Rules of retention. */
export function registerRetention(records: Command, context: CliContext): void {
  const { client, output } = context
  const retention = records.command('retention').description('how long records are kept')
  retention
    .command('list')
    .description('list the rules')
    .action(async () => {
      const reply = await client().listRetention()
      output.document(reply)
      output.table(
        ['ID', 'OF', 'BODIES', 'ROWS', 'FACTS'],
        reply.items.map((rule) => [
          ...[rule.id, placeOf(rule), daysText(rule.bodies), daysText(rule.rows)],
          factsText(rule),
        ]),
      )
      const { bodyDays, rowDays } = reply.defaults
      output.line(`elsewhere bodies are kept ${bodyDays} days, rows ${rowDays}`)
    })
  registerSet(retention, context)
  retention
    .command('delete <id>')
    .description('delete a rule')
    .action(async (id: string) => {
      const reply = await client().deleteRetention({ id })
      output.document(reply)
      output.line(`${id} is deleted`)
    })
}

/** Sums, which stay when records go. */
export function registerUsage(records: Command, { client, output }: CliContext): void {
  const by = new Option('--by <what>', 'what to sum by').choices(['target', 'node', 'key', 'metadata'])
  records
    .command('usage')
    .description('sums of calls by target, node, key or declared metadata')
    .addOption(by.default('target'))
    .option('--name <property>', 'of metadata, where by metadata')
    .option('--env <environment>', 'of this environment')
    .option('--team <team>', 'of this team and all below')
    .option('--since <time>', '30d, or a date', '30d')
    .addHelpText('after', examples(['signalbox records usage --by metadata --name feature --since 30d']))
    .action(async (options: UsageOptions) => {
      const reply = await client().getUsage({
        by: options.by,
        ...(options.name !== undefined && { name: options.name }),
        ...(options.env !== undefined && { environment: options.env }),
        ...(options.team !== undefined && { team: options.team }),
        sinceMs: parseMoment(options.since),
      })
      output.document(reply)
      output.table(
        ['VALUE', 'CALLS', 'ERRORS', 'DENIED', 'INPUT', 'OUTPUT', 'COST'],
        reply.items.map((each) => [
          each.label ?? (each.value === '' ? '-' : each.value),
          ...[each.calls, each.errors, each.denied, each.inputTokens, each.outputTokens].map(String),
          dollars(each.costNanoUsd),
        ]),
      )
    })
}
