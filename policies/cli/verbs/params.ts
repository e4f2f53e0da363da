import type { Client } from '@signalbox/sdk'
import type { Command } from 'commander'
import { type CliContext, Failure } from '../context.ts'
import { examples, type Verb } from '../verb.ts'

type Param = Awaited<ReturnType<Client['setParam']>>
interface PlaceOptions {
  env?: string
  workspace?: string
}

const valueText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

function line({ workspace, name, value, source, by }: Param): string {
  const who = source === 'state' && by !== null ? ` by ${by}` : ''
  return `${workspace} ${name} = ${valueText(value)} (${source}${who})`
}

/** The text as a value of the declared type. @throws Failure. */
function parseValue(text: string, type: Param['declaration']['type']): Param['value'] {
  if (type === 'string') return text
  if (type === 'stringList') {
    if (!text.startsWith('[')) return text === '' ? [] : text.split(',').map((each) => each.trim())
    return JSON.parse(text) as string[]
  }
  if (type === 'bool' && (text === 'true' || text === 'false')) return text === 'true'
  if (type !== 'bool' && /^-?\d[\d_]*$/.test(text)) return Number(text.replaceAll('_', ''))
  throw new Failure(`${text} is no ${type === 'bool' ? 'true or false' : 'whole number'}`)
}

function registerGet(params: Command, context: CliContext): void {
  params
    .command('get [name]')
    .description('what params are now, and why')
    .option('--env <environment>', 'where')
    .option('--workspace <name>', 'of this one')
    .option('--history', 'every value there ever was')
    .addHelpText(
      'after',
      examples(['signalbox params get --env production', 'signalbox params get soft --history']),
    )
    .action(async (name: string | undefined, options: PlaceOptions & { history?: boolean }) => {
      const { output } = context
      const environment = options.env ?? context.config.environment
      if (options.history === true) {
        const query = { environment, ...(name !== undefined && { name }) }
        const reply = await context.client().listParamChanges(query)
        output.document(reply)
        for (const each of reply.items) {
          const value = each.value === null ? 'taken back' : valueText(each.value)
          output.line(
            `${new Date(each.timeMs).toISOString()} ${each.workspace} ${each.name} = ${value} by ${each.by}`,
          )
        }
        return
      }
      const { workspace } = options
      const reply = await context
        .client()
        .listParams({ environment, ...(workspace !== undefined && { workspace }) })
      const items = reply.items.filter((each) => name === undefined || each.name === name)
      if (name !== undefined && items.length === 0) {
        throw new Failure(`no deployed policy declares a param "${name}"`, 'not_found')
      }
      output.document({ items })
      for (const each of items) output.line(line(each))
    })
}

function registerSet(params: Command, context: CliContext): void {
  params
    .command('set <name> [value]')
    .description('give a param another value at once, without a version')
    .option('--env <environment>', 'where')
    .option('--workspace <name>', 'where several have it')
    .option('--unset', 'take the value back: that of signalbox.yaml or the default holds again')
    .option('--revision <number>', 'refuse if it was changed since')
    .addHelpText('after', examples(['signalbox params set soft 750000 --env production']))
    .action(
      async (
        name: string,
        value: string | undefined,
        options: PlaceOptions & { unset?: boolean; revision?: string },
      ) => {
        const { output } = context
        const { workspace, unset, revision } = options
        if ((value === undefined) === (unset !== true))
          throw new Failure('Give a value, or --unset.', 'usage')
        const environment = options.env ?? context.config.environment
        const client = context.client()
        const { items } = await client.listParams({ environment })
        const known = items.find(
          (each) => each.name === name && (workspace === undefined || each.workspace === workspace),
        )
        const given = value === undefined ? null : parseValue(value, known?.declaration.type ?? 'string')
        const reply = await client.setParam({
          ...{ environment, name, value: given },
          ...(workspace !== undefined && { workspace }),
          ...(revision !== undefined && { revision: Number(revision) }),
        })
        output.document(reply)
        output.line(line(reply))
        if (reply.pending !== undefined) output.note(`waiting for ${reply.pending.join(', ')}`)
      },
    )
}

export const verb: Verb = {
  name: 'params',
  register(program, context) {
    const params = program.command('params').description('hot values of what policies declare as params')
    registerGet(params, context)
    registerSet(params, context)
  },
}
