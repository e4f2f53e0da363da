import type { Client } from '@signalbox/sdk'
import type { Command } from 'commander'
import { type CliContext, Failure } from '../context.ts'
import { examples, type Verb } from '../verb.ts'

type Limit = Awaited<ReturnType<Client['setLimit']>>
type Wanted = Parameters<Client['setLimit']>[0]
interface Owner {
  team?: string
  key?: string
}
interface SetOptions extends Owner {
  requests?: string
  tokens?: string
  concurrency?: string
  per?: string
  model?: string
  metadata?: string
  each?: string
  mode?: string
  revision?: string
}
const windows = ['minute', 'hour', 'day'] as const
const modes = ['hard', 'shadow'] as const
const units = ['requests', 'tokens', 'concurrency'] as const

/** @throws Failure that lists what there is. */
function oneOf<const T extends string>(option: string, text: string, known: readonly T[]): T {
  const found = known.find((each) => each === text)
  if (found === undefined) throw new Failure(`--${option} is ${known.join(', ')}; not "${text}".`)
  return found
}

function countOf(option: string, text: string): number {
  const digits = text.replaceAll('_', '')
  if (!/^\d{1,13}$/.test(digits)) throw new Failure(`--${option} is a whole number, like 600; not "${text}".`)
  return Number(digits)
}

/** `tier=free` with the value as JSON has it where it is a number or a boolean. @throws Failure. */
function metadataOf(text: string): NonNullable<Wanted['metadata']> {
  const [, name = '', value = ''] = /^([A-Za-z_]\w*)=(.+)$/.exec(text) ?? []
  if (name === '') throw new Failure(`--metadata is name=value, like tier=free; not "${text}".`)
  if (value === 'true' || value === 'false') return { name, value: value === 'true' }
  return { name, value: /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value }
}

/** @throws Failure for an option that cannot be. */
function wantedOf(options: SetOptions): Wanted {
  const named = units.filter((unit) => options[unit] !== undefined)
  const [unit] = named
  if (unit === undefined || named.length > 1)
    throw new Failure('Give one of --requests, --tokens and --concurrency.')
  const { team, key, model, metadata, each, revision } = options
  const isWindowed = unit !== 'concurrency'
  if (!isWindowed && options.per !== undefined) throw new Failure('A limit of concurrency has no --per.')
  return {
    ...(team !== undefined && { team }),
    ...(key !== undefined && { key }),
    unit,
    ...(isWindowed && { window: oneOf('per', options.per ?? 'minute', windows) }),
    limit: countOf(unit, options[unit] ?? ''),
    ...(options.mode !== undefined && { mode: oneOf('mode', options.mode, modes) }),
    ...(model !== undefined && { model }),
    ...(metadata !== undefined && { metadata: metadataOf(metadata) }),
    ...(each !== undefined && { per: each }),
    ...(revision !== undefined && { revision: countOf('revision', revision) }),
  }
}

const placeOf = ({ path }: Limit): string => (path === '' ? '(organisation)' : path)

function whatOf({ unit, window, limit }: Limit): string {
  return window === undefined ? `${limit} at the same time` : `${limit} ${unit} per ${window}`
}

function forOf({ model, metadata, per }: Limit): string {
  const parts = [
    model === undefined ? '' : `model ${model}`,
    metadata === undefined ? '' : `${metadata.name}=${metadata.value}`,
    per === undefined ? '' : `each ${per.replace('metadata.', '')}`,
  ]
  return parts.filter((part) => part !== '').join(', ') || 'all'
}

function registerList(limits: Command, { client, output }: CliContext): void {
  limits
    .command('list')
    .description('list limits of requests, tokens and concurrency')
    .option('--team <team>', 'only of this team')
    .option('--key <id>', 'only of this key')
    .action(async ({ team, key }: Owner) => {
      const reply = await client().listLimits({
        ...(team !== undefined && { team }),
        ...(key !== undefined && { key }),
      })
      output.document(reply)
      output.table(
        ['ID', 'OF', 'LIMIT', 'FOR', 'MODE'],
        reply.items.map((limit) => [limit.id, placeOf(limit), whatOf(limit), forOf(limit), limit.mode]),
      )
    })
}

function registerSet(limits: Command, { client, output }: CliContext): void {
  limits
    .command('set')
    .description('make or change a limit of a team or a key')
    .option('--team <team>', 'name, path or id of a team; the name of the organisation means all of it')
    .option('--key <id>', 'id of a key')
    .option('--requests <count>', 'so many calls')
    .option('--tokens <count>', 'so many tokens of input and output')
    .option('--concurrency <count>', 'so many calls at the same time')
    .option('--per <window>', `${windows.join(', ')}; minute if left out`)
    .option('--model <name>', 'only for this alias or target')
    .option('--metadata <name=value>', 'only for calls whose declared metadata has this value')
    .option('--each <what>', 'key, user, model or metadata.NAME: counted each by itself')
    .option('--mode <mode>', modes.join(', '))
    .option('--revision <number>', 'fail where somebody changed it since')
    .addHelpText(
      'after',
      examples([
        'signalbox limits set --team search --requests 600',
        'signalbox limits set --team search --tokens 2000000 --per day --model smart',
        'signalbox limits set --key KEY_ID --concurrency 20 --mode shadow',
        'signalbox limits set --team search --requests 10 --each user',
      ]),
    )
    .action(async (options: SetOptions) => {
      const limit = await client().setLimit(wantedOf(options))
      output.document(limit)
      output.line(`${placeOf(limit)}: ${whatOf(limit)}, for ${forOf(limit)}, ${limit.mode}`)
      if (limit.pending !== undefined) output.note(`waiting for ${limit.pending.join(', ')}`)
    })
}

function registerDelete(limits: Command, { client, output }: CliContext): void {
  limits
    .command('delete <id>')
    .description('delete a limit')
    .option('--revision <number>', 'fail where somebody changed it since')
    .action(async (id: string, { revision }: { revision?: string }) => {
      const reply = await client().deleteLimit({
        id,
        ...(revision !== undefined && { revision: countOf('revision', revision) }),
      })
      output.document(reply)
      output.line(`${id} is deleted`)
      if (reply.pending !== undefined) output.note(`waiting for ${reply.pending.join(', ')}`)
    })
}

export const verb: Verb = {
  name: 'limits',
  register(program, context) {
    const limits = program
      .command('limits')
      .description('how many requests, tokens and calls at the same time teams and keys may have')
    registerList(limits, context)
    registerSet(limits, context)
    registerDelete(limits, context)
  },
}
