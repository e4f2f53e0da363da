import type { Command } from 'commander'
import type { CliContext } from '../context.ts'
import { createOrFind } from '../if-missing.ts'
import { examples, type Verb } from '../verb.ts'

interface CreateOptions {
  team: string
  name: string
  env?: string
  ifMissing?: boolean
}
const day = (timeMs: number | null): string =>
  timeMs === null ? '-' : new Date(timeMs).toISOString().slice(0, 10)

function registerList(keys: Command, { client, output }: CliContext): void {
  keys
    .command('list')
    .description('list keys, newest first')
    .option('--team <team>', 'only of this team')
    .action(async (options: { team?: string }) => {
      const reply = await client().listKeys(options.team === undefined ? {} : { team: options.team })
      output.document(reply)
      output.table(
        ['ID', 'NAME', 'TEAM', 'ENVIRONMENT', 'KEY', 'CREATED', 'REVOKED'],
        reply.items.map((key) => [
          key.id,
          key.name,
          key.team.name,
          key.environment,
          `${key.start}…`,
          day(key.createdMs),
          day(key.revokedMs),
        ]),
      )
    })
}

function registerCreate(keys: Command, { client, config, output }: CliContext): void {
  keys
    .command('create')
    .description('make a key; it is shown this once')
    .requiredOption('--team <team>', 'name, path or id')
    .requiredOption('--name <label>', 'label, unique in the team')
    .option('--env <environment>', 'environment it works in')
    .option('--if-missing', 'give the existing key (without its value) where there is one')
    .addHelpText('after', examples(['signalbox keys create --team search --name ci --json']))
    .action(async ({ team, name, env, ifMissing }: CreateOptions) => {
      const api = client()
      const find = async () => (await api.listKeys({ team })).items.find((each) => each.name === name)
      const key = await createOrFind(
        () => api.createKey({ team, name, environment: env ?? config.environment }),
        ifMissing === true ? find : undefined,
      )
      output.document(key)
      output.line(
        'key' in key ? key.key : `${key.start}… ${output.style('dim', '(shown only when it was made)')}`,
      )
      if (key.pending !== undefined) output.note(`waiting for ${key.pending.join(', ')}`)
    })
}

function registerRevoke(keys: Command, { client, output }: CliContext): void {
  keys
    .command('revoke <id>')
    .description('revoke a key; it fails on the next request')
    .action(async (id: string) => {
      const key = await client().revokeKey({ id })
      output.document(key)
      output.line(`${key.name} of ${key.team.name} is revoked`)
      if (key.pending !== undefined) output.note(`waiting for ${key.pending.join(', ')}`)
    })
}

export const verb: Verb = {
  name: 'keys',
  register(program, context) {
    const keys = program.command('keys').description('keys with which callers reach the gateway')
    registerList(keys, context)
    registerCreate(keys, context)
    registerRevoke(keys, context)
  },
}
